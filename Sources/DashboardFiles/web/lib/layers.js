/// Places the nodes of a plan in layers, sources first, with few crossings. Pure geometry: no drawing.
///
/// `nodes`: [{id, inputs: [{id}]}]. Answers {width, height, nodes: {id: {x, y}}, edges: [{from, to, index, points: [{x, y}]}]}.
/// Layers go right, or down when `isDown`; `isSingle` gives each node a layer of its own, for narrow screens.
export function layers(nodes, { width, height, gap, layerGap, isDown, isSingle = false }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const rank = new Map();
  const depth = (id, seen = new Set()) => {
    if (rank.has(id)) return rank.get(id);
    if (seen.has(id)) return 0;
    seen.add(id);
    const inputs = (byId.get(id)?.inputs ?? []).filter((input) => byId.has(input.id));
    const own = inputs.length === 0 ? 0 : Math.max(...inputs.map((input) => depth(input.id, seen) + 1));
    rank.set(id, own);
    return own;
  };
  nodes.forEach((node) => depth(node.id));
  if (isSingle) [...nodes].sort((left, right) => rank.get(left.id) - rank.get(right.id)).forEach((node, index) => rank.set(node.id, index));

  // An edge over several layers gets a place in each, so that it runs through no other node.
  const rows = [];
  const place = (layer, item) => { (rows[layer] ??= []).push(item); };
  const items = new Map();
  for (const node of nodes) {
    const item = { id: node.id, inputs: [], outputs: [], size: isDown ? width : height };
    items.set(node.id, item);
    place(rank.get(node.id), item);
  }
  const edges = [];
  for (const node of nodes) {
    (node.inputs ?? []).forEach((input, index) => {
      if (!byId.has(input.id)) return;
      const chain = [items.get(input.id)];
      for (let layer = rank.get(input.id) + 1; layer < rank.get(node.id); layer += 1) {
        const bend = { inputs: [], outputs: [], size: 8 };
        place(layer, bend);
        chain.push(bend);
      }
      chain.push(items.get(node.id));
      for (let step = 1; step < chain.length; step += 1) {
        chain[step - 1].outputs.push(chain[step]);
        chain[step].inputs.push(chain[step - 1]);
      }
      edges.push({ from: input.id, to: node.id, index, chain });
    });
  }

  // Each layer is ordered by the middle of its neighbours, forwards and back again.
  const number = () => rows.forEach((row) => row.forEach((item, order) => { item.order = order; }));
  number();
  for (let sweep = 0; sweep < 6; sweep += 1) {
    const forward = sweep % 2 === 0;
    for (const row of forward ? rows : [...rows].reverse()) {
      const middle = (item) => {
        const others = forward ? item.inputs : item.outputs;
        return others.length === 0 ? item.order : others.reduce((sum, other) => sum + other.order, 0) / others.length;
      };
      const wanted = new Map(row.map((item) => [item, middle(item)]));
      row.sort((left, right) => wanted.get(left) - wanted.get(right) || left.order - right.order);
      row.forEach((item, order) => { item.order = order; });
    }
  }

  const extent = (row) => row.reduce((sum, item) => sum + item.size, 0) + gap * (row.length - 1);
  const across = Math.max(...rows.map(extent), 0);
  rows.forEach((row, layer) => {
    let cursor = (across - extent(row)) / 2;
    for (const item of row) {
      item.across = cursor + item.size / 2;
      item.along = layer * ((isDown ? height : width) + layerGap) + (isDown ? height : width) / 2;
      cursor += item.size + gap;
    }
  });
  const point = (item) => (isDown ? { x: item.across, y: item.along } : { x: item.along, y: item.across });
  const along = rows.length * ((isDown ? height : width) + layerGap) - layerGap;
  const placed = {};
  for (const [id, item] of items) {
    const centre = point(item);
    placed[id] = { x: centre.x - width / 2, y: centre.y - height / 2, layer: rank.get(id), order: item.order };
  }
  const half = isDown ? height / 2 : width / 2;
  return {
    width: isDown ? across : along, height: isDown ? along : across, nodes: placed,
    edges: edges.map((edge) => {
      const points = edge.chain.map(point);
      const first = points[0];
      const last = points[points.length - 1];
      points[0] = isDown ? { x: first.x, y: first.y + half } : { x: first.x + half, y: first.y };
      points[points.length - 1] = isDown ? { x: last.x, y: last.y - half } : { x: last.x - half, y: last.y };
      return { from: edge.from, to: edge.to, index: edge.index, points };
    }),
  };
}

/// A smooth line through the points, leaving and arriving along the layers' direction.
export function curve(points, isDown) {
  let text = `M${points[0].x} ${points[0].y}`;
  for (let index = 1; index < points.length; index += 1) {
    const from = points[index - 1];
    const to = points[index];
    const half = isDown ? (to.y - from.y) / 2 : (to.x - from.x) / 2;
    text += isDown ? `C${from.x} ${from.y + half} ${to.x} ${to.y - half} ${to.x} ${to.y}` : `C${from.x + half} ${from.y} ${to.x - half} ${to.y} ${to.x} ${to.y}`;
  }
  return text;
}
