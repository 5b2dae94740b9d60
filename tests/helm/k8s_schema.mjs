// Strict check of one Kubernetes object without a server: its types, required fields and formats by
// kubernetes-models, unknown fields by the generated classes of @kubernetes/client-node; of the
// Prometheus operator and KEDA by the models of their definitions.
// Its classes alone: the whole package wants a newer node than Debian's.
const classes = await import(
  new URL('../node_modules/@kubernetes/client-node/dist/gen/models/all.js', import.meta.url));

const kHomes = {
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
  'keda.sh': '@kubernetes-models/keda',
};
const kPlain = /^(string|number|boolean|any|object|Date|IntOrString|MicroTime|V1MicroTime)$/;

function unknownFields(type, value, path, found) {
  if (value === null || value === undefined) return;
  let match;
  if ((match = /^Array<(.*)>$/.exec(type))) {
    if (!Array.isArray(value)) found.push(`${path}: not an array`);
    else value.forEach((item, i) => unknownFields(match[1], item, `${path}/${i}`, found));
  } else if ((match = /^\{ \[key: string\]: (.*); \}$/.exec(type))) {
    for (const key of Object.keys(value)) unknownFields(match[1], value[key], `${path}/${key}`, found);
  } else if (!kPlain.test(type) && classes[type]?.getAttributeTypeMap && typeof value === 'object') {
    const fields = new Map(classes[type].getAttributeTypeMap().map((a) => [a.baseName, a.type]));
    for (const key of Object.keys(value)) {
      if (!fields.has(key)) found.push(`${path}/${key}: unknown field (${type})`);
      else unknownFields(fields.get(key), value[key], `${path}/${key}`, found);
    }
  }
}

/// What is wrong with the object, a sentence each; none: nothing.
export async function problemsOf(object) {
  const [group, version] = object.apiVersion.includes('/')
    ? object.apiVersion.split('/') : ['', object.apiVersion];
  const home = kHomes[group] ?? 'kubernetes-models';
  const place = [home, group, version, object.kind].filter(Boolean).join('/');
  const found = [];
  let Model;
  try {
    Model = (await import(place))[object.kind];
  } catch {
    return [`there is no ${object.kind} in ${object.apiVersion}`];
  }
  try {
    new Model(object).validate();
  } catch (error) {
    for (const e of error.errors ?? []) {
      found.push(`${e.instancePath || '/'} ${e.message} ${JSON.stringify(e.params)}`);
    }
    if (!error.errors) found.push(error.message);
  }
  if (home === 'kubernetes-models') {
    const type = version[0].toUpperCase() + version.slice(1) + object.kind;
    if (classes[type]) unknownFields(type, object, '', found);
    else found.push(`there is no class ${type}`);
  }
  return found;
}
