/// Pages are functions from figures to descriptions of elements; `draw` changes the document until it matches.
/// Text always goes in as text: no name or message that a user chose is ever read as markup.

const svgSpace = "http://www.w3.org/2000/svg";

/// A description: `h("p", {class: "quiet"}, "text", child, …)`. Null, false and "" among the children are left out.
/// Props are attributes, except: `key` (which of its siblings it is), `on<Event>` (a handler), `style` (an object),
/// `value`/`checked`/`disabled`/`open` (properties), and `ref` (called with the element once it is drawn).
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children: flat(children, []) };
}

function flat(children, into) {
  for (const child of children) {
    if (Array.isArray(child)) flat(child, into);
    else if (child !== null && child !== undefined && child !== false && child !== true && child !== "") into.push(child);
  }
  return into;
}

/// Makes the children of `parent` match the descriptions. Elements are kept where tag and key agree, so that focus, selection,
/// scroll positions and open menus survive.
export function draw(parent, ...nodes) {
  match(parent, flat(nodes, []));
}

function match(parent, wanted) {
  const keyed = new Map();
  for (const node of parent.childNodes) if (node.drawn?.props.key !== undefined) keyed.set(node.drawn.props.key, node);
  let next = parent.firstChild;
  for (const want of wanted) {
    const key = want.props?.key;
    let node = key !== undefined ? keyed.get(key) : next;
    if (key === undefined) while (node && node.drawn?.props.key !== undefined && !fits(node, want)) node = node.nextSibling;
    if (node && fits(node, want)) {
      if (node !== next) parent.insertBefore(node, next);
      else next = next.nextSibling;
      update(node, want);
    } else {
      parent.insertBefore(create(want, parent), next);
    }
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

function fits(node, want) {
  if (typeof want !== "object") return node.nodeType === 3;
  return node.nodeType === 1 && node.drawn?.tag === want.tag && node.drawn.props.key === want.props.key;
}

function create(want, parent) {
  if (typeof want !== "object") return document.createTextNode(String(want));
  const isSVG = want.tag === "svg" || (parent.namespaceURI === svgSpace && parent.localName !== "foreignObject");
  const element = isSVG ? document.createElementNS(svgSpace, want.tag) : document.createElement(want.tag);
  update(element, want);
  return element;
}

function update(node, want) {
  if (node.nodeType === 3) {
    if (node.data !== String(want)) node.data = String(want);
    return;
  }
  const before = node.drawn?.props ?? {};
  node.drawn = want;
  for (const name in before) if (!(name in want.props)) set(node, name, null, before[name]);
  match(node, want.children);
  // After the children: a select's value needs its options.
  for (const name in want.props) if (want.props[name] !== before[name] || name === "value" || name === "checked") set(node, name, want.props[name], before[name]);
  want.props.ref?.(node);
}

const properties = new Set(["value", "checked", "disabled", "open"]);

function set(node, name, value, before) {
  if (name === "key" || name === "ref") return;
  if (name.startsWith("on")) {
    const event = name.slice(2).toLowerCase();
    // One listener an event; it looks the handler up when it is called.
    node.handlers ??= {};
    if (!(event in node.handlers)) node.addEventListener(event, (happened) => node.handlers[event]?.call(node, happened));
    node.handlers[event] = value;
  } else if (name === "style") {
    for (const key in before ?? {}) if (!(key in (value ?? {}))) node.style.removeProperty(key);
    for (const key in value ?? {}) if (value[key] !== before?.[key]) node.style.setProperty(key, value[key]);
  } else if (properties.has(name)) {
    const wanted = value ?? (name === "value" ? "" : false);
    if (node[name] !== wanted) node[name] = wanted;
  } else if (value === null || value === undefined || value === false) {
    node.removeAttribute(name);
  } else {
    node.setAttribute(name, value === true ? "" : value);
  }
}
