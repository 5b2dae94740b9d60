// A dashboard from rows of panels: places, ids, variables, links, annotations.
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';

import { Sized } from './panels';
import { RED, SOURCE, SYSTEM } from './words';

export const TAG = 'ordo';
/** Where ordo-monitor listens unless it is told otherwise. */
const PAGE = 'http://127.0.0.1:7790/';
const WIDTH = 24;

export interface Row {
  title: string;
  panels: Sized[];
}

export interface Page {
  uid: string;
  title: string;
  description: string;
  variables: (keyof typeof VARIABLES)[];
  rows: Row[];
  from?: string;
  refresh?: string;
}

/** A variable with the values that a label has; `.*` also finds series without the label. */
function labels(name: string, label: string, metric: string, selector: string) {
  const query = `label_values(${metric}${selector === '' ? '' : `{${selector}}`}, ${name})`;
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(SOURCE)
    .query({ query, refId: 'Values' })
    .definition(query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: ['All'], value: ['$__all'] });
}

// A system is known by its brokers' health even where none of them answers any more.
const VARIABLES = {
  system: () => labels('system', 'System', 'system:ordo_health:colour', ''),
  instance: () => labels('instance', 'Broker', 'ordo_build_info', SYSTEM),
  pipeline: () => labels('pipeline', 'Pipeline', 'ordo_orders_accepted_total', SYSTEM),
  queue: () => labels('queue', 'Queue', 'ordo_queue_ready', SYSTEM),
  shard: () => labels('shard', 'Shard', 'ordo_shard_open', SYSTEM),
};

/** Alerts that fire, as marks on every graph. The dead man's switch always does. */
function alerts() {
  const expr = `ALERTS{alertstate="firing",alertname!="OrdoDeadMansSwitch",${SYSTEM}}`;
  return new dashboard.AnnotationQueryBuilder()
    .name('Alerts that fire')
    .datasource(SOURCE)
    .enable(true)
    .iconColor(RED)
    .expr(expr)
    .step('60s')
    .titleFormat('{{alertname}}')
    .textFormat('{{severity}} {{type}} {{node}} {{queue}} {{shard}} {{pipeline}} {{step}}')
    .tagKeys('severity,owner,role')
    .target(new prometheus.DataqueryBuilder().refId('Alerts').expr(expr).range());
}

function links() {
  const link = (title: string, type: dashboard.DashboardLinkType) =>
    new dashboard.DashboardLinkBuilder(title).type(type).keepTime(true).includeVars(true);
  return [
    link('ordo', dashboard.DashboardLinkType.Dashboards)
      .tags([TAG])
      .icon('dashboard')
      .asDropdown(false)
      .tooltip('The other dashboards of ordo, for the same time and choice'),
    link('ordo page', dashboard.DashboardLinkType.Link)
      .url('${page}')
      .icon('external link')
      .targetBlank(true)
      .keepTime(false)
      .includeVars(false)
      .tooltip('The live page: who depends on whom, orders, what to do'),
  ];
}

/** Puts the panels of each row side by side, breaking lines where they are full. */
function placed(rows: Row[]): (dashboard.Panel | dashboard.RowPanel)[] {
  const made: (dashboard.Panel | dashboard.RowPanel)[] = [];
  let id = 0;
  let top = 0;
  for (const row of rows) {
    const head = new dashboard.RowBuilder(row.title).id(++id);
    made.push(head.gridPos({ x: 0, y: top++, w: WIDTH, h: 1 }).build());
    let [left, tallest] = [0, 0];
    for (const { width, height, panel } of row.panels) {
      if (left + width > WIDTH) [left, top, tallest] = [0, top + tallest, 0];
      panel.id = ++id;
      panel.gridPos = { x: left, y: top, w: width, h: height };
      made.push(panel);
      [left, tallest] = [left + width, Math.max(tallest, height)];
    }
    top += tallest;
  }
  return made;
}

export function build(page: Page): dashboard.Dashboard {
  const builder = new dashboard.DashboardBuilder(page.title)
    .uid(page.uid)
    .description(page.description)
    .tags([TAG])
    .time({ from: page.from ?? 'now-1h', to: 'now' })
    .refresh(page.refresh ?? '10s')
    .timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .variables([
      new dashboard.DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
      ...page.variables.map((name) => VARIABLES[name]()),
      new dashboard.TextBoxVariableBuilder('page')
        .label('ordo page')
        .description('Where ordo-monitor serves the page that the link above opens')
        .defaultValue(PAGE)
        .current({ text: PAGE, value: PAGE }),
    ])
    .annotations([alerts()])
    .links(links());
  const made = builder.build();
  made.panels = placed(page.rows);
  // On the dashboard itself, not in the menu that the library would put them into.
  for (const shown of [...(made.links ?? []), ...(made.annotations.list ?? [])]) {
    delete shown.placement;
  }
  return made;
}
