import '@epochscope/ui/register';
import { decodeAny } from '@epochscope/analysis/results';
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import text from '../result.json?raw';

// React 19 sets properties of custom elements as they are, and "on" + the event's name listens.
function App() {
  const [result, setResult] = useState(null);
  const [chosen, setChosen] = useState(null);
  useEffect(() => {
    decodeAny(text).then(setResult);
  }, []);
  return (
    <main>
      <h1>What the last layer learned</h1>
      <es-tendency-image
        data={result?.panels.at(-1) ?? null}
        selection={{ sample: chosen?.sample }}
        mark-color="correct"
        style={{ maxWidth: '24rem' }}
        ones-select={(event) => setChosen(event.detail)}
      />
      <p>
        Chosen:{' '}
        <output id="chosen">
          {chosen ? `sample ${chosen.sample} in block ${chosen.block + 1}` : 'nothing'}
        </output>
      </p>
    </main>
  );
}

createRoot(document.getElementById('app')).render(<App />);
