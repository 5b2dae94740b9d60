// A hook: how wide an element is, in CSS pixels; `otherwise` until it is laid out.

import { useLayoutEffect, useState } from 'preact/hooks';

export function useWidth(of: { current: Element | null }, otherwise: number): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = of.current;
    if (element === null) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width || otherwise;
}
