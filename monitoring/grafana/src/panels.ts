// The kinds of panels that the dashboards use, as small data. Each wants a title, a description for
// whoever sees it for the first time, a unit and its queries.
import * as cog from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import * as units from '@grafana/grafana-foundation-sdk/units';

import { COLOURS, NOTHING, rate, SOURCE, Steps, sum, thresholds } from './words';

/** An expression and how its series are called: `{{queue}}`. */
export type Query = [expr: string, legend: string];

/** What Grafana calls a unit; a word of our own behind the number; nothing where words do it. */
export type Unit = (typeof units)[keyof typeof units] | `suffix:${string}` | '';

export interface Look {
  title: string;
  description: string;
  unit: Unit;
  queries: Query[];
  width: number; // of 24
  height?: number;
  steps?: Steps;
  decimals?: number;
  more?: string; // uid of the dashboard that a click leads to
}

/** A panel that knows its size; kit.ts gives it a place and an id. */
export interface Sized {
  width: number;
  height: number;
  panel: dashboard.Panel;
}

type How = 'range' | 'instant' | 'table' | 'heatmap';

function targets(queries: Query[], how: How): prometheus.DataqueryBuilder[] {
  return queries.map(([expr, legend], index) => {
    const query = new prometheus.DataqueryBuilder()
      .refId(String.fromCharCode(65 + index))
      .datasource(SOURCE)
      .editorMode(prometheus.QueryEditorMode.Code)
      .expr(expr)
      .legendFormat(legend);
    if (how === 'table') return query.instant().format(prometheus.PromQueryFormat.Table);
    if (how === 'heatmap') return query.range().format(prometheus.PromQueryFormat.Heatmap);
    return how === 'instant' ? query.instant() : query.range();
  });
}

/** To another dashboard, for the same time, data source and system. */
function linkTo(uid: string): dashboard.DashboardLink {
  const choice = 'var-datasource=${datasource}&${system:queryparam}&${__url_time_range}';
  return new dashboard.DashboardLinkBuilder('More')
    .type(dashboard.DashboardLinkType.Link)
    .url(`/d/${uid}?${choice}`)
    .build();
}

function sized(look: Look, height: number, builder: cog.Builder<dashboard.Panel>): Sized {
  const panel = builder.build();
  const defaults = panel.fieldConfig?.defaults;
  panel.title = look.title;
  panel.description = look.description;
  panel.datasource = SOURCE;
  if (defaults) {
    if (look.unit !== '') defaults.unit = look.unit;
    if (look.decimals !== undefined) defaults.decimals = look.decimals;
    if (look.more !== undefined) defaults.links = [linkTo(look.more)];
    defaults.thresholds ??= {
      mode: dashboard.ThresholdsMode.Absolute,
      steps: thresholds(look.steps ?? {}),
    };
  }
  return { width: look.width, height: look.height ?? height, panel };
}

export interface Lines extends Look {
  stacked?: boolean;
  bars?: boolean;
  top?: number; // of the axis
  dashed?: string; // regular expression: legends of lines that are there for comparison
}

/** Curves over time. Thresholds are drawn as lines where there are some. */
export function lines(look: Lines): Sized {
  const builder = new timeseries.PanelBuilder()
    .targets(targets(look.queries, 'range'))
    .min(0)
    .lineWidth(1)
    .fillOpacity(look.bars ? 80 : look.stacked ? 30 : 8)
    .drawStyle(look.bars ? common.GraphDrawStyle.Bars : common.GraphDrawStyle.Line)
    .showPoints(common.VisibilityMode.Never)
    .colorScheme(
      new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassicByName),
    )
    .stacking(
      new common.StackingConfigBuilder().mode(
        look.stacked ? common.StackingMode.Normal : common.StackingMode.None,
      ),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    )
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.Table)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['mean', 'max', 'lastNotNull']),
    );
  if (look.top !== undefined) builder.max(look.top);
  if (look.steps) {
    builder.thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
    );
  }
  if (look.dashed !== undefined) {
    builder.overrideByRegexp(look.dashed, [
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 6] } },
      { id: 'custom.fillOpacity', value: 0 },
    ]);
  }
  return sized(look, 8, builder);
}

export interface Figure extends Look {
  named?: boolean; // shows the name of each series
  still?: boolean; // without the small curve
  other?: [series: string, steps: Steps]; // thresholds of the series whose names match
}

/** One large number for each series, on the colour of its threshold. */
export function figure(look: Figure): Sized {
  const builder = new stat.PanelBuilder()
    .targets(targets(look.queries, look.still ? 'instant' : 'range'))
    .colorMode(common.BigValueColorMode.BackgroundSolid)
    .graphMode(look.still ? common.BigValueGraphMode.None : common.BigValueGraphMode.Area)
    .textMode(look.named ? common.BigValueTextMode.ValueAndName : common.BigValueTextMode.Value)
    .mappings([NOTHING])
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds))
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
  if (look.other !== undefined) {
    const [series, steps] = look.other;
    const value = { mode: dashboard.ThresholdsMode.Absolute, steps: thresholds(steps) };
    builder.overrideByRegexp(series, [{ id: 'thresholds', value }]);
  }
  return sized(look, 4, builder);
}

/** What processes use of their machine; `who` they are, as a word for the titles. */
export function processes(selector: string, who: string): Sized[] {
  const open = sum('process_open_fds', selector, 'instance');
  return [
    lines({
      width: 8,
      title: `Processor, by ${who}`,
      description: 'Seconds of processor time a second, user and system: 1 is one core in full use.',
      unit: 'short',
      queries: [[rate('process_cpu_seconds_total', selector, 'instance'), '{{instance}}']],
    }),
    lines({
      width: 8,
      title: `Memory, by ${who}`,
      description: 'Memory in RAM. What grows for days without more work is a leak.',
      unit: 'bytes',
      queries: [[sum('process_resident_memory_bytes', selector, 'instance'), '{{instance}}']],
    }),
    lines({
      width: 8,
      title: `File descriptors in use, by ${who}`,
      description: 'Share of those that the process may have open; each connection takes one.',
      unit: 'percentunit',
      queries: [[`${open} / ${sum('process_max_fds', selector, 'instance')}`, '{{instance}}']],
      steps: { warn: 0.7, bad: 0.9 },
    }),
  ];
}

/** What a panel of colours needs; its mappings are its unit. */
export type Colours = Omit<Look, 'unit' | 'steps' | 'decimals'>;

const unitless = (look: Colours): Look => ({ ...look, unit: '' });

/** A board of red, yellow and green: background and word. */
export function board(look: Colours): Sized {
  const builder = new stat.PanelBuilder()
    .targets(targets(look.queries, 'instant'))
    .mappings(COLOURS)
    .colorMode(common.BigValueColorMode.BackgroundSolid)
    .graphMode(common.BigValueGraphMode.None)
    .textMode(common.BigValueTextMode.ValueAndName)
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds))
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false));
  return sized(unitless(look), 5, builder);
}

/** How the colours were over time. */
export function timeline(look: Colours): Sized {
  const builder = new statetimeline.PanelBuilder()
    .targets(targets(look.queries, 'range'))
    .mappings(COLOURS)
    .mergeValues(true)
    .showValue(common.VisibilityMode.Auto)
    .rowHeight(0.85)
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds))
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    );
  return sized(unitless(look), 6, builder);
}

/** How a histogram was spread over time: the buckets' own bounds on the axis. */
export function spread(look: Look): Sized {
  const builder = new heatmap.PanelBuilder()
    .targets(targets(look.queries, 'heatmap'))
    .calculate(false)
    .yAxis(new heatmap.YAxisConfigBuilder().unit(look.unit).axisPlacement(common.AxisPlacement.Left))
    .cellValues(new heatmap.CellValuesBuilder().unit('ops'))
    .color(
      new heatmap.HeatmapColorOptionsBuilder()
        .mode(heatmap.HeatmapColorMode.Scheme)
        .scheme('Viridis')
        .steps(32),
    );
  return sized(look, 8, builder);
}

export interface Rows extends Look {
  columns: [label: string, title: string][]; // in this order
  value: string; // the title of the value's column
  colours?: boolean; // the value is a colour
}

/** A table of what is now: a line for each series, its labels as columns. */
export function rows(look: Rows): Sized {
  const titles = Object.fromEntries([...look.columns, ['Value', look.value]]);
  const order = Object.fromEntries([...look.columns.map(([label]) => label), 'Value'].map(
    (name, index) => [name, index]));
  const builder = new table.PanelBuilder()
    .targets(targets(look.queries, 'table'))
    .filterable(true)
    .withTransformation({
      id: 'organize',
      options: { excludeByName: { Time: true }, indexByName: order, renameByName: titles },
    })
    .sortBy([new common.TableSortByFieldStateBuilder().displayName(look.value).desc(true)]);
  if (look.colours || look.steps) {
    builder.overrideByName(look.value, [
      { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
      ...(look.colours ? [{ id: 'mappings', value: COLOURS }] : []),
    ]);
  }
  return sized(look, 8, builder);
}
