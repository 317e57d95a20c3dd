import { render } from 'preact';
import { App } from './app.tsx';
import { readSession, session } from './session.ts';
import './styles/base.css';
import './styles/parts.css';

render(<App />, document.body);
readSession().catch(() => {
  session.value = null;
});
