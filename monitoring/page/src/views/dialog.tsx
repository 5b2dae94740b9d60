// Asks before anything is done: says what will happen, wants a reason, then does it.

import { useEffect, useRef, useState } from 'preact/hooks';
import { action, tell, type Action } from '../state/action';
import { ApiError } from '../state/api';
import { isOperator } from '../state/session';

export function ActionDialog() {
  const what = action.value;
  return what === null ? null : <Asking key={what.title} what={what} />;
}

function Asking({ what }: { what: Action }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [why, setWhy] = useState('');
  const [result, setResult] = useState('');
  const [plan, setPlan] = useState('');
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => {
    dialog.current?.close();
    action.value = null;
  };
  const needsPlan = what.rehearse !== undefined && plan === '';
  const submit = async (event: Event) => {
    event.preventDefault();
    if (why.trim() === '' || isBusy) return;
    setBusy(true);
    setError('');
    try {
      if (needsPlan) setPlan((await what.rehearse?.(why.trim())) ?? '');
      else {
        tell(await what.run(why.trim(), result));
        close();
      }
    } catch (failure) {
      setError(failure instanceof ApiError ? failure.message : String(failure));
    }
    setBusy(false);
  };
  const button = what.isHarmful && !needsPlan ? 'main harmful' : 'main';
  return (
    <dialog ref={dialog} aria-labelledby="ask-title" onCancel={close} onClose={close}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="ask-title">{what.title}</h2>
        <p>{what.sentence}</p>
        {what.asksResult && (
          <>
            <label for="result">Result to record (text or JSON)</label>
            <textarea
              id="result"
              rows={3}
              value={result}
              onInput={(e) => setResult(e.currentTarget.value)}
            />
          </>
        )}
        <label for="why">Why? It is kept in the order’s history, with your name.</label>
        <textarea
          id="why"
          rows={2}
          required
          maxLength={400}
          value={why}
          onInput={(event) => setWhy(event.currentTarget.value)}
        />
        <div aria-live="polite">
          {plan !== '' && <p class="notice plan">{plan}</p>}
          {error !== '' && <p class="notice bad">{error}</p>}
        </div>
        <p class="buttons">
          <button type="button" onClick={close}>
            Not now
          </button>
          <button type="submit" class={button} disabled={isBusy || why.trim() === ''}>
            {isBusy ? 'Working …' : needsPlan ? 'See what it would do' : what.verb}
          </button>
        </p>
      </form>
    </dialog>
  );
}

/** A button that asks first; observers do not see it. */
export function Ask(props: {
  of: () => Action;
  children: string;
  label?: string;
  isHarmful?: boolean;
}) {
  if (!isOperator.value) return null;
  return (
    <button
      type="button"
      class={props.isHarmful ? 'small harmful-quiet' : 'small'}
      aria-label={props.label}
      onClick={() => (action.value = props.of())}
    >
      {props.children}
    </button>
  );
}
