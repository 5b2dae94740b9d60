// A stand-in for a Kubernetes API server, in memory: discovery, objects, label selectors, apply and
// merge patch, watch. What it keeps is checked strictly, as a server does on request. Objects are
// ready at once: Jobs complete, Pods succeed, workloads are available. It schedules and runs nothing.
//
// Rule: start() → {url, log, objects, failJobs, stop}. `log` are the requests that change something,
//       in order.
import http from 'node:http';
import { parse } from 'yaml';
import { problemsOf } from './k8s_schema.mjs';

// group/version → [plural, kind]
const kKinds = {
  v1: [['namespaces', 'Namespace'], ['pods', 'Pod'], ['services', 'Service'], ['secrets', 'Secret'],
    ['configmaps', 'ConfigMap'], ['serviceaccounts', 'ServiceAccount'], ['events', 'Event']],
  'apps/v1': [['deployments', 'Deployment'], ['statefulsets', 'StatefulSet'], ['replicasets', 'ReplicaSet']],
  'batch/v1': [['jobs', 'Job']],
  'policy/v1': [['poddisruptionbudgets', 'PodDisruptionBudget']],
  'autoscaling/v2': [['horizontalpodautoscalers', 'HorizontalPodAutoscaler']],
  'networking.k8s.io/v1': [['ingresses', 'Ingress'], ['networkpolicies', 'NetworkPolicy']],
  'monitoring.coreos.com/v1': [['servicemonitors', 'ServiceMonitor'], ['podmonitors', 'PodMonitor'],
    ['prometheusrules', 'PrometheusRule']],
  'keda.sh/v1alpha1': [['scaledobjects', 'ScaledObject']],
};
const kVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const isObject = (v) => v !== null && typeof v === 'object' && !Array.isArray(v);

/// What a controller would have made of it.
function withStatus(o, jobsFail) {
  const at = new Date().toISOString();
  o.metadata.generation = 1;
  if (o.kind === 'Job') {
    const type = jobsFail ? 'Failed' : 'Complete';
    o.status = { startTime: at, ready: 0, [jobsFail ? 'failed' : 'succeeded']: 1,
      conditions: [{ type, status: 'True', lastTransitionTime: at, reason: jobsFail ? 'BackoffLimitExceeded' : '' }] };
  } else if (o.kind === 'Pod') {
    o.status = { phase: 'Succeeded', conditions: [{ type: 'Ready', status: 'True' }] };
  } else if (['Deployment', 'StatefulSet'].includes(o.kind)) {
    const n = o.spec.replicas ?? 1;
    o.status = { observedGeneration: 1, replicas: n, readyReplicas: n, updatedReplicas: n, availableReplicas: n,
      currentReplicas: n, conditions: [{ type: 'Available', status: 'True' },
        { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' }] };
  } else if (o.kind === 'PodDisruptionBudget') {
    o.status = { observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 1, expectedPods: 1 };
  }
  return o;
}

function matches(o, query) {
  const labels = o.metadata.labels ?? {};
  const terms = (query.get('labelSelector') ?? '').split(/,(?![^(]*\))/).filter(Boolean);
  const name = /metadata\.name=+([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1];
  return (!name || o.metadata.name === name) && terms.every((term) => {
    let m;
    if ((m = /^(\S+) in \((.*)\)$/.exec(term))) return m[2].split(',').map((x) => x.trim()).includes(labels[m[1]]);
    if ((m = /^([^!=]+)!=(.*)$/.exec(term))) return labels[m[1]] !== m[2];
    if ((m = /^([^=]+)==?(.*)$/.exec(term))) return labels[m[1]] === m[2];
    return term in labels;
  });
}

function merge(into, patch) {
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete into[key];
    else if (isObject(value) && isObject(into[key])) merge(into[key], value);
    else into[key] = value;
  }
  return into;
}

/// Fields of a protobuf message by number.
function fieldsOf(bytes) {
  const fields = {};
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if ((byte & 128) === 0) return Number(value);
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    let value;
    if ((tag & 7) === 0) value = varint();
    else if ((tag & 7) === 2) {
      const length = varint();
      value = bytes.subarray(at, at += length);
    } else at += (tag & 7) === 1 ? 8 : 4;
    (fields[tag >>> 3] ??= []).push(value);
  }
  return fields;
}

/// Helm writes its release as a Secret in protobuf: "k8s\0", then {1: type, 2: object}.
function secretOf(bytes) {
  const envelope = fieldsOf(bytes.subarray(4));
  const object = fieldsOf(envelope[2][0]);
  const meta = fieldsOf(object[1][0]);
  const map = (entries, of) => Object.fromEntries((entries ?? []).map(fieldsOf)
    .map((e) => [String(e[1][0]), of(e[2]?.[0] ?? Buffer.alloc(0))]));
  return { apiVersion: 'v1', kind: 'Secret', type: String(object[3]?.[0] ?? 'Opaque'),
    metadata: { name: String(meta[1][0]), labels: map(meta[11], String), annotations: map(meta[12], String) },
    data: map(object[2], (b) => b.toString('base64')) };
}

const groupsOf = () => Object.keys(kKinds).filter((gv) => gv !== 'v1').map((gv) => {
  const version = { groupVersion: gv, version: gv.split('/')[1] };
  return { name: gv.split('/')[0], versions: [version], preferredVersion: version };
});

/// Tells clients that the server validates fields, so that they leave it to the server.
function openApi(gv, root) {
  const [group, version] = gv.includes('/') ? gv.split('/') : ['', gv];
  const parameters = ['fieldValidation', 'dryRun'].map((name) => ({ name, in: 'query', schema: { type: 'string' } }));
  const paths = kKinds[gv].map(([plural, kind]) => [`/${root}/${gv}/namespaces/{namespace}/${plural}/{name}`,
    { patch: { responses: {}, parameters, 'x-kubernetes-group-version-kind': { group, version, kind } } }]);
  return { openapi: '3.0.0', info: { title: 'x', version: '1' }, components: { schemas: {} }, paths: Object.fromEntries(paths) };
}

function discover(path) {
  const parts = path.split('/').filter(Boolean);
  if (path === '/version') return { major: '1', minor: '33', gitVersion: 'v1.33.9' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf() };
  if (path === '/openapi/v3') {
    return { paths: Object.fromEntries(Object.keys(kKinds).map((gv) => [(gv === 'v1' ? 'api/' : 'apis/') + gv,
      { serverRelativeURL: `/openapi/v3/${gv === 'v1' ? 'api/' : 'apis/'}${gv}?hash=1` }])) };
  }
  const gv = parts.slice(parts[0] === 'openapi' ? 3 : 1).join('/');
  if (!kKinds[gv]) return null;
  if (parts[0] === 'openapi') return openApi(gv, parts[2]);
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: gv, resources: kKinds[gv].map(([name, kind]) => (
    { name, singularName: kind.toLowerCase(), namespaced: name !== 'namespaces', kind, verbs: kVerbs })) };
}

class Cluster {
  constructor() {
    this.objects = new Map();
    this.watchers = new Set();
    this.log = [];
    this.version = 1;
    this.jobsFail = false;
  }

  /// Where a path leads: {gv, plural, kind, namespace, name}; null: to no object.
  placeOf(path) {
    const parts = path.split('/').filter(Boolean);
    const gv = parts[0] === 'api' ? parts[1] : `${parts[1]}/${parts[2]}`;
    const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
    const [namespace, plural, name] = rest[0] === 'namespaces' && rest.length > 2
      ? rest.slice(1) : [undefined, ...rest];
    const kind = kKinds[gv]?.find(([p]) => p === plural)?.[1];
    return kind ? { gv, plural, kind, namespace, name } : null;
  }

  key(place, name) { return `${place.gv} ${place.plural} ${place.namespace ?? ''} ${name}`; }

  emit(type, object, place) {
    for (const w of this.watchers) {
      const isHis = w.place.gv === place.gv && w.place.plural === place.plural
        && (!w.place.namespace || w.place.namespace === object.metadata.namespace);
      if (isHis && matches(object, w.query)) w.answer.write(`${JSON.stringify({ type, object })}\n`);
    }
  }

  keep(object, place, type, isDry) {
    Object.assign(object.metadata, { namespace: place.namespace, resourceVersion: String(++this.version) });
    object.metadata.uid ??= `u${this.version}`;
    object.metadata.creationTimestamp ??= new Date().toISOString();
    withStatus(object, this.jobsFail);
    if (isDry) return object;
    this.objects.set(this.key(place, object.metadata.name), object);
    this.emit(type, object, place);
    return object;
  }

  async change(method, place, query, body, contentType) {
    const isDry = query.has('dryRun');
    const old = this.objects.get(this.key(place, place.name));
    if (method === 'DELETE') {
      if (!old) return [404, 'NotFound'];
      this.objects.delete(this.key(place, place.name));
      this.emit('DELETED', old, place);
      return [200, { kind: 'Status', apiVersion: 'v1', status: 'Success', details: { name: place.name, uid: old.metadata.uid } }];
    }
    const isApply = contentType.includes('apply');
    const given = contentType.includes('protobuf') ? secretOf(body)
      : isApply || contentType.includes('yaml') ? parse(body.toString()) : JSON.parse(body);
    if (method === 'POST' && this.objects.has(this.key(place, given.metadata.name))) return [409, 'AlreadyExists'];
    if (method === 'PATCH' && !old && !isApply) return [404, 'NotFound'];
    const { uid, creationTimestamp } = old?.metadata ?? {};
    const object = method === 'PATCH' && !isApply ? merge(structuredClone(old), given)
      : merge({ metadata: { uid, creationTimestamp } }, given);
    const { status, ...said } = structuredClone(object);
    for (const field of ['uid', 'creationTimestamp', 'resourceVersion', 'generation']) delete said.metadata[field];
    const problems = await problemsOf(said);
    if (problems.length > 0) return [422, `Invalid: ${said.kind}/${said.metadata.name}: ${problems.join('; ')}`];
    return [old ? 200 : 201, this.keep(object, place, old ? 'MODIFIED' : 'ADDED', isDry)];
  }

  list(place, query) {
    return [...this.objects].filter(([key]) => key.startsWith(`${place.gv} ${place.plural} `)).map(([, o]) => o)
      .filter((o) => (!place.namespace || o.metadata.namespace === place.namespace) && matches(o, query));
  }

  watch(place, query, answer) {
    answer.writeHead(200, { 'content-type': 'application/json' });
    const watcher = { place, query, answer };
    this.watchers.add(watcher);
    answer.on('close', () => this.watchers.delete(watcher));
    if (query.get('sendInitialEvents') !== 'true') return answer.flushHeaders();
    for (const object of this.list(place, query)) answer.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
    const metadata = { resourceVersion: String(this.version), annotations: { 'k8s.io/initial-events-end': 'true' } };
    return answer.write(`${JSON.stringify({ type: 'BOOKMARK', object: { kind: place.kind, apiVersion: place.gv, metadata } })}\n`);
  }
}

async function serve(cluster, request, answer, body) {
  const { pathname, searchParams: query } = new URL(request.url, 'http://x');
  const say = (code, object) => {
    answer.writeHead(code, { 'content-type': 'application/json' });
    answer.end(JSON.stringify(typeof object === 'string'
      ? { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: object.split(':')[0], message: object, code } : object));
  };
  const place = cluster.placeOf(pathname);
  if (!place) {
    const found = discover(pathname);
    return found ? say(200, found) : say(404, 'NotFound');
  }
  if (request.method === 'GET') {
    if (place.name) {
      const found = cluster.objects.get(cluster.key(place, place.name));
      return found ? say(200, found) : say(404, 'NotFound');
    }
    if (['true', '1'].includes(query.get('watch'))) return cluster.watch(place, query, answer);
    return say(200, { kind: `${place.kind}List`, apiVersion: place.gv,
      metadata: { resourceVersion: String(cluster.version) }, items: cluster.list(place, query) });
  }
  const [code, object] = await cluster.change(request.method, place, query, body, request.headers['content-type'] ?? '');
  const name = place.name ?? object.metadata?.name;
  if (!query.has('dryRun')) cluster.log.push(`${request.method} ${place.plural}/${name}${code < 400 ? '' : ` ${code}`}`);
  return say(code, object);
}

/// On a free port of loopback.
export async function start() {
  const cluster = new Cluster();
  const server = http.createServer((request, answer) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => serve(cluster, request, answer, Buffer.concat(parts)).catch((error) => {
      answer.writeHead(500);
      answer.end(String(error.stack));
    }));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    log: cluster.log,
    failJobs: (doThey) => { cluster.jobsFail = doThey; },
    objects: () => [...cluster.objects.values()],
    stop: () => { server.closeAllConnections(); return new Promise((resolve) => { server.close(resolve); }); },
  };
}
