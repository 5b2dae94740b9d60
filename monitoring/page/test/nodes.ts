// Nodes of a health tree for the tests.
import type { Colour, HealthNode } from '../src/model/types';

export function node(
  id: string,
  status: Colour = 'green',
  more: Partial<HealthNode> = {},
): HealthNode {
  const [type = '', name = ''] = id.split('/');
  const base = { id, type, node: name, group: `${type}s`, app: name, interface: '' };
  const text = status === 'green' ? '' : `${name} is ${status}.`;
  return { ...base, status, reason: 'none', text, since_ms: 1000, root_cause: false, ...more };
}
