// Asks for the token once. It stays in this tab.

import { useState } from 'preact/hooks';
import { keepToken, refusal } from '../state/session';

export function Login() {
  const [value, setValue] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    if (value.trim() !== '') keepToken(value.trim());
  };
  return (
    <main class="login" id="main">
      <form onSubmit={submit}>
        <h1 tabIndex={-1}>ordo</h1>
        <p>
          Your token, as <code>ordo-monitor token</code> printed it. It is kept for this tab only.
        </p>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autoComplete="off"
          spellcheck={false}
          value={value}
          aria-describedby={refusal.value ? 'refusal' : undefined}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
        {refusal.value !== '' && (
          <p class="notice bad" id="refusal" role="alert">
            {refusal.value}
          </p>
        )}
        <button type="submit" class="main">
          Sign in
        </button>
      </form>
    </main>
  );
}
