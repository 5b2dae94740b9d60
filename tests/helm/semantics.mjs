// What an API server or a kubelet would refuse or misunderstand although every field is of its
// type, and what this chart promises of each pod. Pure: objects in, sentences out.
import { containersOf, idOf, isHook, podsOf } from './chart.mjs';

const contains = (labels, selector) =>
  Object.entries(selector).every(([key, value]) => labels?.[key] === value);
const kSelectorKeys = ['app.kubernetes.io/name', 'app.kubernetes.io/instance',
  'app.kubernetes.io/component', 'ordo-pool'];

function checkNames(objects, say) {
  const seen = new Set();
  for (const o of objects) {
    const id = idOf(o);
    if (seen.has(id)) say(id, 'is there twice');
    seen.add(id);
    const bound = o.kind === 'StatefulSet' ? 52 : 63; // its pods carry its name and a hash as a label
    if (o.metadata.name.length > bound) say(id, `has a name of over ${bound} characters`);
    for (const [key, value] of Object.entries(o.metadata.labels ?? {})) {
      if (!/^(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?$/.test(value)) say(id, `label ${key}: ${value}`);
    }
  }
}

function checkSelectors(objects, pods, say) {
  for (const o of objects) {
    const selector = o.spec?.selector?.matchLabels ?? (o.kind === 'Service' ? o.spec.selector : undefined)
      ?? (o.kind === 'NetworkPolicy' ? o.spec.podSelector.matchLabels : undefined);
    if (!selector) continue;
    if (o.spec.template) {
      if (!contains(o.spec.template.metadata.labels, selector)) say(idOf(o), 'does not select its own pods');
      for (const key of Object.keys(selector)) {
        if (!kSelectorKeys.includes(key)) say(idOf(o), `selects by ${key}, which may change`);
      }
    } else if (o.kind === 'ServiceMonitor') {
      const found = objects.filter((s) => s.kind === 'Service' && contains(s.metadata.labels, selector));
      if (found.length !== 1) say(idOf(o), `selects ${found.length} services`);
    } else if (!pods.some((pod) => contains(pod.labels, selector))) {
      say(idOf(o), 'selects no pod');
    }
  }
}

function checkPorts(objects, pods, say) {
  for (const { object, labels, spec } of pods) {
    for (const c of containersOf(spec)) {
      const names = (c.ports ?? []).map((p) => p.name);
      for (const name of names) if (!/^[a-z0-9-]{1,15}$/.test(name)) say(idOf(object), `port name ${name}`);
      for (const kind of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
        const port = c[kind]?.httpGet?.port;
        if (typeof port === 'string' && !names.includes(port)) say(idOf(object), `${kind} asks port ${port}`);
      }
    }
    for (const service of objects.filter((o) => o.kind === 'Service' && contains(labels, o.spec.selector))) {
      const names = containersOf(spec).flatMap((c) => (c.ports ?? []).map((p) => p.name));
      for (const port of service.spec.ports) {
        if (!names.includes(port.targetPort)) say(idOf(service), `leads to port ${port.targetPort}`);
      }
    }
  }
}

function checkPod({ object, spec }, objects, say) {
  const id = idOf(object);
  const security = spec.securityContext ?? {};
  if (spec.automountServiceAccountToken !== false) say(id, 'mounts a token');
  if (security.runAsNonRoot !== true || security.runAsUser !== 65532) say(id, 'may run as root');
  if (security.seccompProfile?.type !== 'RuntimeDefault') say(id, 'has no seccomp profile');
  const volumes = new Set((spec.volumes ?? []).map((v) => v.name));
  for (const c of containersOf(spec)) {
    const own = c.securityContext ?? {};
    const isClosed = own.readOnlyRootFilesystem === true && own.allowPrivilegeEscalation === false
      && own.capabilities?.drop?.includes('ALL');
    if (!isClosed) say(id, `container ${c.name} may write its image or gain rights`);
    if (!c.resources?.limits?.memory) say(id, `container ${c.name} has no limit of memory`);
    for (const mount of c.volumeMounts ?? []) {
      if (!volumes.has(mount.name)) say(id, `mounts ${mount.name}, which is no volume`);
      if (mount.subPath && mount.name === 'keys') say(id, 'mounts keys by subPath: they would never change');
    }
  }
  for (const v of spec.volumes ?? []) {
    const map = v.configMap?.name;
    if (map && !objects.some((o) => o.kind === 'ConfigMap' && o.metadata.name === map)) say(id, `wants config map ${map}`);
  }
  if (object.kind === 'StatefulSet') {
    const head = objects.find((o) => o.kind === 'Service' && o.metadata.name === object.spec.serviceName);
    if (head?.spec.clusterIP !== 'None') say(id, 'has no headless service');
  }
}

function checkScaling(objects, say) {
  const scalers = objects.filter((o) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(o.kind));
  for (const o of scalers) {
    const target = objects.find((d) => idOf(d) === `Deployment/${o.spec.scaleTargetRef.name}`);
    if (!target) say(idOf(o), 'scales nothing');
    else if ('replicas' in target.spec) say(idOf(target), 'has replicas although it is scaled');
  }
  const targets = scalers.map((o) => o.spec.scaleTargetRef.name);
  if (new Set(targets).size !== targets.length) say('scaling', 'scales one Deployment twice');
}

/// A hook runs before the release's own objects are there: it may lean on none of them.
function checkHooks(objects, say) {
  const ownAccounts = objects.filter((o) => o.kind === 'ServiceAccount').map((o) => o.metadata.name);
  for (const { object, spec } of podsOf(objects.filter(isHook))) {
    const isFirst = object.metadata.annotations['helm.sh/hook'].includes('pre-install');
    if (isFirst && ownAccounts.includes(spec.serviceAccountName)) say(idOf(object), 'wants an account that is not there yet');
  }
}

/// What is collected of each component: path, whose labels win, job.
const kScrapes = {
  broker: ['/metrics/health true ordo-health', '/metrics false ordo'],
  worker: ['/metrics false ordo-workers'],
};
const portsOf = ({ spec }) => containersOf(spec).flatMap((c) => (c.ports ?? []).map((p) => p.name));

function checkScrapes(objects, pods, say) {
  for (const o of objects.filter((x) => ['ServiceMonitor', 'PodMonitor'].includes(x.kind))) {
    const scrapes = o.spec.endpoints ?? o.spec.podMetricsEndpoints;
    const said = scrapes.map((s) => [s.path, s.honorLabels ?? false,
      s.relabelings.find((r) => r.targetLabel === 'job')?.replacement].join(' '));
    const component = o.spec.selector.matchLabels['app.kubernetes.io/component'];
    const wanted = kScrapes[component] ?? [];
    if (said.join() !== wanted.join()) say(idOf(o), `collects ${said.join(', ')}`);
    for (const s of scrapes) {
      if (!s.relabelings.some((r) => r.targetLabel === 'system' && r.replacement)) say(idOf(o), 'names no system');
    }
    const asked = pods.filter((pod) => o.kind === 'PodMonitor' && contains(pod.labels, o.spec.selector.matchLabels));
    const serve = asked.filter((pod) => portsOf(pod).includes('http-metrics'));
    if (o.kind === 'PodMonitor' && serve.length === 0) say(idOf(o), 'finds no pod with port http-metrics');
  }
  // Who serves metrics has to let Prometheus in, and whoever does not has nothing to let anybody in to.
  for (const policy of objects.filter((x) => x.kind === 'NetworkPolicy')) {
    const isOpen = (policy.spec.ingress ?? []).some((rule) => rule.ports.some((p) => p.port === 'http-metrics')
      && rule.from.some((peer) => peer.namespaceSelector));
    for (const pod of pods.filter((x) => contains(x.labels, policy.spec.podSelector.matchLabels))) {
      if (portsOf(pod).includes('http-metrics') !== isOpen) say(idOf(policy), isOpen ? 'opens a port that is not there' : 'shuts Prometheus out');
    }
  }
}

/// What is wrong with the objects of one release, `Kind/name: what` each.
export function problemsIn(objects) {
  const found = [];
  const say = (id, what) => found.push(`${id}: ${what}`);
  const pods = podsOf(objects);
  checkNames(objects, say);
  checkSelectors(objects, pods, say);
  checkPorts(objects, pods, say);
  for (const pod of pods) checkPod(pod, objects, say);
  checkScaling(objects, say);
  checkHooks(objects, say);
  checkScrapes(objects, pods, say);
  return found;
}
