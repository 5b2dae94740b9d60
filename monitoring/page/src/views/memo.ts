// A view that is drawn again only where what it shows has changed.

import { Component, type ComponentChild } from 'preact';

export function memo<P>(view: (props: P) => ComponentChild, isSame: (a: P, b: P) => boolean) {
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return !isSame(this.props, next);
    }
    override render(): ComponentChild {
      return view(this.props);
    }
  };
}
