// The liberties of static/widget.js, which carries no type comments because every byte of it travels: what it keeps on
// its own elements, finds by a selector and reads from the page is not typed. Everything else is checked.
interface EventTarget {
  [name: string]: any;
}
interface Event {
  [name: string]: any;
}
interface Window {
  [name: string]: any;
}
interface Object {
  [name: string]: any;
}
interface ParentNode {
  querySelector(selectors: string): any;
}
interface Element {
  getAttribute(name: string): any;
}
interface FormData {
  [Symbol.iterator](): IterableIterator<any>;
}
interface ObjectConstructor {
  assign(target: any, ...sources: any[]): any;
}
declare function addEventListener(type: string, listener: (event: any) => unknown): void;
