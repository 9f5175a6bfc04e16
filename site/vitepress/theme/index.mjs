import DefaultTheme from 'vitepress/theme';
import Example from './Example.vue';
import Gallery from './Gallery.vue';
import Workbench from './Workbench.vue';
import './style.css';

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component('Example', Example).component('Gallery', Gallery).component('Workbench', Workbench);
  },
};
