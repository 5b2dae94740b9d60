// Parked tasks by step and error: what failed for the same reason is repaired and retried together.

import { useState } from 'preact/hooks';
import { age, count } from '../model/format';
import { href } from '../model/route';
import type { BulkAnswer, ParkedGroup, ParkedList } from '../model/types';
import type { Action } from '../state/action';
import { post } from '../state/api';
import { usePolled } from '../state/polled';
import { isOperator } from '../state/session';
import { Ask } from './dialog';
import { Empty, Heading, Missing, Scroll } from './parts';

const kEveryMs = 5000;
type Verb = 'retry' | 'skip' | 'cancel';
interface Filter {
  pipeline?: string;
  step?: string;
  error?: string;
}

export function Parked() {
  const list = usePolled<ParkedList>('/api/v1/parked', kEveryMs);
  const [filter, setFilter] = useState<Filter>({});
  const groups = (list.data?.groups ?? []).filter(
    (group) =>
      (!filter.pipeline || group.pipeline === filter.pipeline) &&
      (!filter.step || group.step === filter.step),
  );
  const total = groups.reduce((sum, group) => sum + group.count, 0);
  const all = list.data?.groups ?? [];
  return (
    <>
      <Heading aside={<a href={href(['orders'], { which: 'parked' })}>As a list of orders</a>}>
        Parked
      </Heading>
      <p class="lead">
        These tasks wait for somebody: their attempts are used up, or they cost three workers.
        Repair the cause, then retry.
      </p>
      <Missing of={list} what="parked tasks" />
      {list.data !== null && all.length === 0 && <Empty>Nothing is parked.</Empty>}
      {all.length > 0 && (
        <section class="panel" aria-label="Parked tasks by step and error">
          <div class="bar">
            <Choice name="pipeline" of={all} filter={filter} set={setFilter} />
            <Choice name="step" of={all} filter={filter} set={setFilter} />
            <span class="soft">
              {count(total, 'task')} in {count(groups.length, 'group')}
              {list.data?.is_all === false && `, of the first ${list.data.looked_at} orders`}
            </span>
            {isOperator.value && (
              <span class="verbs">
                <Verbs
                  filter={filter}
                  what={filter.step || filter.pipeline ? 'all shown' : 'all'}
                  again={list.again}
                />
              </span>
            )}
          </div>
          <Groups groups={groups} again={list.again} />
        </section>
      )}
    </>
  );
}

function Groups({ groups, again }: { groups: ParkedGroup[]; again: () => void }) {
  return (
    <Scroll label="Groups of parked tasks">
      <table>
        <thead>
          <tr>
            <th scope="col" class="right">
              tasks
            </th>
            <th scope="col">pipeline</th>
            <th scope="col">step</th>
            <th scope="col">error</th>
            <th scope="col">oldest</th>
            <th scope="col">first order</th>
            {isOperator.value && <th scope="col">do with all of them</th>}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => {
            const { pipeline, step, error } = group;
            return (
              <tr key={`${pipeline}/${step}/${error}`}>
                <td class="num right">
                  <b>{group.count}</b>
                </td>
                <td>{pipeline}</td>
                <th scope="row">{step}</th>
                <td class="wide">{error || <span class="soft">none was given</span>}</td>
                <td class="num">{age(group.oldest_ms)}</td>
                <td>
                  <a class="mono" href={href(['orders', group.first])}>
                    open
                  </a>
                </td>
                {isOperator.value && (
                  <td class="verbs">
                    <Verbs
                      filter={{ pipeline, step, error }}
                      what={`${step} of ${pipeline}`}
                      again={again}
                    />
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

function Choice(props: {
  name: 'pipeline' | 'step';
  of: ParkedGroup[];
  filter: Filter;
  set: (filter: Filter) => void;
}) {
  const { name, filter, set } = props;
  const values = [...new Set(props.of.map((group) => group[name]))].sort();
  return (
    <label class="inline">
      {name}
      <select
        value={filter[name] ?? ''}
        onChange={(event) => set({ ...filter, [name]: event.currentTarget.value || undefined })}
      >
        <option value="">all</option>
        {values.map((value) => (
          <option key={value}>{value}</option>
        ))}
      </select>
    </label>
  );
}

function Verbs({ filter, what, again }: { filter: Filter; what: string; again: () => void }) {
  return (
    <>
      <Ask label={`Retry ${what}`} of={() => bulkAction('retry', filter, what, again)}>
        Retry
      </Ask>
      <Ask label={`Skip ${what}`} isHarmful of={() => bulkAction('skip', filter, what, again)}>
        Skip
      </Ask>
      <Ask
        label={`Cancel the orders of ${what}`}
        isHarmful
        of={() => bulkAction('cancel', filter, what, again)}
      >
        Cancel
      </Ask>
    </>
  );
}

const kVerbs: Record<Verb, [title: string, sentence: string, past: string]> = {
  retry: ['Retry', 'Each goes out to a worker again, with all its attempts.', 'retried'],
  skip: [
    'Skip',
    'Each is left out, and its order goes on without its result. This cannot be undone.',
    'skipped',
  ],
  cancel: [
    'Cancel the orders of',
    'Each of these orders ends. This cannot be undone.',
    'cancelled',
  ],
};

function bulkAction(verb: Verb, filter: Filter, what: string, again: () => void): Action {
  const [title, sentence, past] = kVerbs[verb];
  const ask = (why: string, isDry: boolean) =>
    post<BulkAnswer>('/api/v1/bulk', { verb, filter, dry_run: isDry, why });
  return {
    title: `${title} ${what}?`,
    sentence: `${sentence} First you see how many it would be.`,
    verb: `Yes, ${verb}`,
    isHarmful: verb !== 'retry',
    rehearse: async (why) => {
      const answer = await ask(why, true);
      return `Would ${verb} ${count(answer.matched, 'task')}. Nothing has been done yet.`;
    },
    run: async (why) => {
      const answer = await ask(why, false);
      again();
      const first = answer.failed[0];
      const failed = answer.matched - answer.done;
      const bad = failed > 0 ? `; ${failed} not: ${first?.error ?? 'no reason was given'}` : '';
      return `${count(answer.done, 'task')} ${past}${bad}.`;
    },
  };
}
