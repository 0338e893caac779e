// SPDX-License-Identifier: Apache-2.0
// A dashboard drawn with Grafana's own components. What Grafana's application does around them is done here: frames are made
// of Prometheus' answers, field options are applied, panels are put into their places.
import React from 'react';
import { createRoot } from 'react-dom/client';
import { firstValueFrom } from 'rxjs';
import * as data from '@grafana/data';
import { BarGauge, BigValue, GlobalStyles, PanelChrome, Table, TimeSeries, VizRepeater } from '@grafana/ui';

const { picture, since, until, step, mode, width } = window.shown;
const { dashboard, choice, answers } = picture;
const theme = data.createTheme({ colors: { mode } });
const cell = { width: (width - 16) / 24, height: 38 };
const gap = 8;
const timeRange = { from: data.dateTime(since * 1000), to: data.dateTime(until * 1000), raw: { from: 'now-1h', to: 'now' } };

// --- options of fields

const standard = {
  unit: data.unitOverrideProcessor, decimals: data.numberOverrideProcessor, min: data.numberOverrideProcessor,
  max: data.numberOverrideProcessor, color: data.identityOverrideProcessor, thresholds: data.thresholdsOverrideProcessor,
  mappings: data.valueMappingsOverrideProcessor, links: data.dataLinksOverrideProcessor, noValue: data.stringOverrideProcessor,
  displayName: data.displayNameOverrideProcessor,
};
const item = (id, path, process, isCustom) => ({ id, path, process, isCustom, name: id, shouldApply: () => true, override: process, editor: () => null });
data.standardFieldConfigEditorRegistry.setInit(() => Object.entries(standard).map(([id, process]) => item(id, id, process, false)));
const customOptions = ['drawStyle', 'lineInterpolation', 'lineWidth', 'lineStyle', 'fillOpacity', 'showPoints', 'spanNulls', 'stacking', 'thresholdsStyle',
  'scaleDistribution', 'axisSoftMax', 'width', 'minWidth', 'cellOptions', 'align', 'inspect', 'filterable', 'axisPlacement', 'axisLabel', 'hideFrom'];
const registry = new data.FieldConfigOptionsRegistry(() => [
  ...data.standardFieldConfigEditorRegistry.list(),
  ...customOptions.map((id) => item(`custom.${id}`, id, data.identityOverrideProcessor, true)),
]);
data.standardTransformersRegistry.setInit(() => [...new Map(Object.values(data.standardTransformers).map((each) => [each.id, each])).values()]
  .map((transformation) => ({ id: transformation.id, name: transformation.name ?? transformation.id, transformation, editor: () => null })));

// --- frames

const substitute = (text) => text.replace(/\$\{?(\w+)(?::\w+)?\}?/g, (all, name) => (choice[name] === '.*' ? 'All' : choice[name] ?? all));
const named = (legend, labels) => legend.replace(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? '').trim();

function seriesFrame({ metric, values, value }, { refId, legendFormat }) {
  const samples = values ?? [value];
  return data.toDataFrame({
    refId,
    fields: [
      { name: 'Time', type: 'time', values: samples.map(([time]) => time * 1000), config: { interval: step * 1000 } },
      { name: 'Value', type: 'number', labels: metric, values: samples.map(([, number]) => Number(number)),
        config: { displayNameFromDS: named(legendFormat ?? '', metric) || undefined } },
    ],
  });
}

function tableFrame(result, { refId }, several) {
  const labels = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))].sort();
  return data.toDataFrame({
    refId,
    fields: [
      { name: 'Time', type: 'time', values: result.map(({ value }) => value[0] * 1000) },
      ...labels.map((label) => ({ name: label, type: 'string', values: result.map(({ metric }) => metric[label] ?? '') })),
      { name: several ? `Value #${refId}` : 'Value', type: 'number', values: result.map(({ value }) => Number(value[1])) },
    ],
  });
}

async function framesOf(panel) {
  const frames = (panel.targets ?? []).flatMap((target, at) => {
    const result = answers[panel.id][at];
    if (target.format === 'table') return result.length ? [tableFrame(result, target, panel.targets.length > 1)] : [];
    return result.map((each) => seriesFrame(each, target));
  });
  const transformed = panel.transformations ? await firstValueFrom(data.transformDataFrame(panel.transformations, frames, { interpolate: (text) => text })) : frames;
  return data.applyFieldOverrides({
    data: transformed, fieldConfig: panel.fieldConfig, replaceVariables: (text) => text, theme, timeZone: 'utc', fieldConfigRegistry: registry,
  });
}

// --- panels

const values = (panel, frames) => data.getFieldDisplayValues({
  fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: (text) => text, theme, data: frames, timeZone: 'utc',
});
const isEmpty = (frames) => frames.every((frame) => frame.length === 0);
const nothing = (text) => <div style={{ display: 'grid', placeItems: 'center', height: '100%', color: theme.colors.text.secondary }}>{text ?? 'No data'}</div>;

const draw = {
  timeseries: (panel, frames, size) => <TimeSeries frames={frames} structureRev={1} timeRange={timeRange} timeZone="utc" legend={panel.options.legend} options={panel.options} {...size} />,
  stat: (panel, frames, size) => {
    const [first] = values(panel, frames);
    return <BigValue value={first.display} colorMode={panel.options.colorMode} graphMode={panel.options.graphMode} textMode={panel.options.textMode}
      justifyMode={panel.options.justifyMode} theme={theme} {...size} />;
  },
  bargauge: (panel, frames, size) => (
    <VizRepeater source={frames} getValues={() => values(panel, frames)} orientation="horizontal" renderCounter={0} itemSpacing={4} autoGrid={false}
      minVizHeight={panel.options.minVizHeight} maxVizHeight={panel.options.maxVizHeight} minVizWidth={panel.options.minVizWidth} {...size}
      getAlignmentFactors={data.getDisplayValueAlignmentFactors}
      renderValue={({ value, alignmentFactors, width: w, height: h }) => (
        <BarGauge value={value.display} field={value.field} text={panel.options.text} display={value.view?.getFieldDisplayProcessor(value.colIndex)} alignmentFactors={alignmentFactors}
          orientation="horizontal" displayMode={panel.options.displayMode} namePlacement={panel.options.namePlacement} valueDisplayMode={panel.options.valueMode}
          showUnfilled={panel.options.showUnfilled} itemSpacing={4} lcdCellWidth={12} theme={theme} width={w} height={h} />)} />),
  table: (panel, frames, size) => <Table data={frames[0]} columnMinWidth={50} cellHeight="sm" timeRange={timeRange} showTypeIcons={false} {...size} />,
};

function Panel({ panel, frames }) {
  const { x, y, w, h } = panel.gridPos;
  const box = { position: 'absolute', left: 8 + x * cell.width + gap / 2, top: y * cell.height, width: w * cell.width - gap, height: h * cell.height - gap };
  if (panel.type === 'row')
    return <div style={{ ...box, width: width - 24, height: 'auto', paddingTop: 6, font: `500 16px ${theme.typography.fontFamily}`, color: theme.colors.text.primary }}>⌄ {substitute(panel.title)}</div>;
  return (
    <div style={box}>
      <PanelChrome title={panel.title} description={panel.description} width={box.width} height={box.height}>
        {(innerWidth, innerHeight) => (isEmpty(frames) ? nothing(panel.fieldConfig.defaults.noValue) : draw[panel.type](panel, frames, { width: innerWidth, height: innerHeight }))}
      </PanelChrome>
    </div>);
}

async function main() {
  const drawn = [], empty = [];
  for (const panel of dashboard.panels) {
    const frames = panel.type === 'row' ? [] : await framesOf(panel);
    if (panel.type !== 'row' && isEmpty(frames)) empty.push(panel.title);
    drawn.push(<Panel key={panel.id} panel={panel} frames={frames} />);
  }
  const height = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h)) * cell.height;
  const said = dashboard.templating.list.filter(({ name }) => choice[name]).map(({ label, name }) => `${label} ${substitute(`$${name}`)}`);
  document.body.style.cssText = `margin:0;background:${theme.colors.background.canvas};font:14px ${theme.typography.fontFamily};color:${theme.colors.text.primary}`;
  createRoot(document.getElementById('root')).render(
    <data.ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ padding: '10px 14px 0', height: 30 }}>
        <b>{dashboard.title}</b>
        {said.map((each) => <span key={each} style={{ marginLeft: 16, color: theme.colors.text.secondary }}>{each}</span>)}
        <span style={{ float: 'right', color: theme.colors.text.disabled }}>drawn with Grafana&#39;s components, data of staged incidents</span>
      </div>
      <div style={{ position: 'relative', height }} data-empty={empty.join('; ')}>{drawn}</div>
    </data.ThemeContext.Provider>);
  document.title = `height ${height + 48}`;
}
main().catch((error) => { document.title = 'failed'; document.body.innerText = error.stack; });
