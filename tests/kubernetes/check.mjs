// SPDX-License-Identifier: Apache-2.0
// check.mjs MANIFESTS [RULES]: whether every object of a file that kustomize made is what the schemas of Kubernetes
// and of the Prometheus operator allow, has no key that they do not know, and whether it has the rules of RULES, the folder
// of the rule files. Prints the objects as JSON. The folder it is started in has the packages.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';

const [manifests, rules] = process.argv.slice(2);
const installed = createRequire(join(process.cwd(), 'package.json'));
const { parse, parseAllDocuments } = installed('yaml');

const operator = '@kubernetes-models/prometheus-operator/_schemas/ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoring';
const schemas = {
  'v1 ConfigMap': 'kubernetes-models/_schemas/IoK8sApiCoreV1ConfigMap',
  'v1 Namespace': 'kubernetes-models/_schemas/IoK8sApiCoreV1Namespace',
  'v1 Service': 'kubernetes-models/_schemas/IoK8sApiCoreV1Service',
  'v1 ServiceAccount': 'kubernetes-models/_schemas/IoK8sApiCoreV1ServiceAccount',
  'apps/v1 DaemonSet': 'kubernetes-models/_schemas/IoK8sApiAppsV1DaemonSet',
  'scheduling.k8s.io/v1 PriorityClass': 'kubernetes-models/_schemas/IoK8sApiSchedulingV1PriorityClass',
  'monitoring.coreos.com/v1 PodMonitor': `${operator}V1PodMonitor`,
  'monitoring.coreos.com/v1 PrometheusRule': `${operator}V1PrometheusRule`,
};

const problems = [];

// Kubernetes' schemas allow any further key, so a misspelt one would pass. The validators look at every key that they know:
// what nobody looked at is unknown.
function watched(value, path, unseen) {
  if (value === null || typeof value !== 'object') return value;
  for (const key of Object.keys(value)) unseen.add(`${path}/${key}`);
  const children = new Map();
  return new Proxy(value, {
    get(target, key, receiver) {
      if (typeof key === 'symbol' || !Object.hasOwn(target, key)) return Reflect.get(target, key, receiver);
      unseen.delete(`${path}/${key}`);
      if (!children.has(key)) children.set(key, watched(target[key], `${path}/${key}`, unseen));
      return children.get(key);
    },
  });
}

const objects = parseAllDocuments(readFileSync(manifests, 'utf8')).map((document) => document.toJS());
if (objects.length === 0) problems.push('there are no objects');
for (const object of objects) {
  const name = `${object.kind} ${object.metadata.name}`;
  const schema = schemas[`${object.apiVersion} ${object.kind}`];
  if (!schema) {
    problems.push(`${name}: no schema for ${object.apiVersion}`);
    continue;
  }
  const { validate } = await import(join(process.cwd(), 'node_modules', `${schema}.js`));
  if (!validate(object))
    for (const { instancePath, keyword, params } of validate.errors)
      problems.push(`${name}${instancePath}: ${keyword} ${JSON.stringify(params)}`);
  const unseen = new Set();
  validate(watched(object, '', unseen));
  for (const path of unseen) problems.push(`${name}${path}: unknown key`);
  // `kubectl apply` keeps a copy of the object in an annotation, which may have 256 KiB; a ConfigMap 1 MiB.
  if (object.kind === 'ConfigMap' && JSON.stringify(object).length > 262144)
    problems.push(`${name}: too large for kubectl apply`);
}

const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`);
if (new Set(names).size !== names.length) problems.push('two objects have the same name');

// The rules of a file are in a PrometheusRule, or are the file itself in a ConfigMap.
for (const file of rules ? ['alerts', 'recording'] : []) {
  const text = readFileSync(join(rules, `${file}.yml`), 'utf8');
  const rule = objects.find(({ kind, metadata }) => kind === 'PrometheusRule' && metadata.name === `tcpdiagd-${file}`);
  const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'tcpdiagd-rules');
  if (rule && !isDeepStrictEqual(rule.spec.groups, parse(text).groups))
    problems.push(`${file}: not the rules of the file (monitoring/kubernetes/prometheus-rules mends it)`);
  if (map && map.data[`${file}.yml`] !== text) problems.push(`${file}: the ConfigMap has another file`);
  if (!rule && !map) problems.push(`${file}: in no object`);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(JSON.stringify(objects));
