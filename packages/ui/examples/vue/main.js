import '@epochscope/ui/register';
import { createApp } from 'vue';
import App from './App.vue';

createApp(App).mount('#app');
