// The desk: find an order by id, customer or pipeline, or look through those that are open or
// parked.

import { useState } from 'preact/hooks';
import { isOrderId, moment, shortId } from '../model/format';
import { href } from '../model/route';
import type { OrderList, Pipeline } from '../model/types';
import { withQuery } from '../state/api';
import { clock } from '../state/live';
import { go } from '../state/location';
import { usePolled } from '../state/polled';
import { State } from './glyph';
import { Ago, Empty, Heading, Missing, Scroll } from './parts';

const kPage = '50';
const kEveryMs = 5000;
const kLists: [which: string, label: string][] = [
  ['recent', 'Recent'],
  ['open', 'Open'],
  ['parked', 'Parked'],
];

type Query = Record<string, string>;

export function Orders({ query }: { query: Query }) {
  const which = query.which ?? (query.customer ? 'customer' : 'recent');
  return (
    <>
      <Heading>Orders</Heading>
      <Search query={query} />
      <div class="switch" role="group" aria-label="Which orders">
        {kLists.map(([key, label]) => (
          <a
            key={key}
            href={href(['orders'], { which: key, pipeline: query.pipeline })}
            aria-current={which === key ? 'true' : undefined}
          >
            {label}
          </a>
        ))}
        {which === 'customer' && (
          <a href={href(['orders'], query)} aria-current="true">
            Of {query.customer}
          </a>
        )}
      </div>
      <List key={which} query={query} which={which} />
    </>
  );
}

function Search({ query }: { query: Query }) {
  const [text, setText] = useState(query.customer ?? '');
  const pipelines = usePolled<{ pipelines: Pipeline[] }>('/api/v1/pipelines', 0);
  const submit = (event: Event) => {
    event.preventDefault();
    const value = text.trim();
    if (isOrderId(value)) go(href(['orders', value.toLowerCase()]));
    else if (value) go(href(['orders'], { which: 'customer', customer: value }));
    else go(href(['orders'], { pipeline: query.pipeline }));
  };
  const choose = (pipeline: string) =>
    go(href(['orders'], { ...query, pipeline, after: undefined }));
  const names = [...new Set(pipelines.data?.pipelines.map((each) => each.pipeline) ?? [])];
  return (
    <form class="search" role="search" onSubmit={submit}>
      <label>
        <span>Order’s id, or customer</span>
        <input
          type="search"
          value={text}
          spellcheck={false}
          placeholder="019a1b2c-… or c42"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <label>
        <span>Pipeline</span>
        <select
          value={query.pipeline ?? ''}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          <option value="">all</option>
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="main">
        Find
      </button>
    </form>
  );
}

function List({ query, which }: { query: Query; which: string }) {
  const { customer, pipeline, after } = query;
  const path = withQuery('/api/v1/orders', { which, customer, pipeline, after, limit: kPage });
  // Only the first page is asked for again: the ones behind it are read with a cursor, and rest.
  const list = usePolled<OrderList>(path, after ? 0 : kEveryMs);
  const orders = list.data?.orders ?? [];
  return (
    <section class="panel" aria-label="Orders">
      <Missing of={list} what="orders" />
      {list.data !== null && orders.length === 0 && <Empty>No order is {none(which)}.</Empty>}
      {orders.length > 0 && (
        <Scroll label="List of orders">
          <table class="orders">
            <thead>
              <tr>
                <th scope="col">state</th>
                <th scope="col">order</th>
                <th scope="col">pipeline</th>
                <th scope="col">customer</th>
                <th scope="col">key</th>
                <th scope="col">accepted</th>
                <th scope="col" class="right">
                  priority
                </th>
              </tr>
            </thead>
            <tbody>
              {orders.map((order) => (
                <tr key={order.id}>
                  <td>
                    <State word={order.status} />
                  </td>
                  <th scope="row">
                    <a class="mono" href={href(['orders', order.id])} title={order.id}>
                      {shortId(order.id)}
                    </a>
                  </th>
                  <td>
                    {order.pipeline} <span class="soft">v{order.version}</span>
                  </td>
                  <td>
                    {order.customer && (
                      <a href={href(['orders'], { which: 'customer', customer: order.customer })}>
                        {order.customer}
                      </a>
                    )}
                  </td>
                  <td class="soft">{order.key}</td>
                  <td class="num" title={moment(order.accepted_at_ms, clock.value)}>
                    <Ago ms={order.accepted_at_ms} /> ago
                  </td>
                  <td class="num right">{order.priority}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <p class="pages">
        {after && <a href={href(['orders'], { ...query, after: undefined })}>First page</a>}
        {list.data !== null && !list.data.is_last && (
          <a href={href(['orders'], { ...query, which, after: list.data.after })}>Next page</a>
        )}
      </p>
    </section>
  );
}

function none(which: string): string {
  if (which === 'customer') return 'of this customer';
  return which === 'recent' ? 'there' : which;
}
