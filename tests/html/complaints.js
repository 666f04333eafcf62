(() => {
  const complaints = [];
  const complain = (what, element) => complaints.push(`${what}: ${(element?.outerHTML ?? "").slice(0, 120)}`);
  const root = document.documentElement;

  if (root.scrollWidth > window.innerWidth) {
    complaints.push(`the page is ${root.scrollWidth} pixels wide on a screen of ${window.innerWidth}`);
  }
  if (document.scripts.length > 0) complain("a script", document.scripts[0]);

  // Charts.
  const charts = [...document.querySelectorAll("figure svg")];
  if (charts.length === 0) complaints.push("no chart");
  if (!charts.every(chart => chart.querySelector('text[font-size="18"]'))) complaints.push("a chart without a heading");
  for (const chart of charts) {
    const box = chart.getBoundingClientRect();
    if (box.width < 300 || box.height < 100) complain(`a chart of ${box.width} x ${box.height} pixels`, chart);
    if (chart.getAttribute("role") !== "img") complain("a chart without the role of an image", chart);
    if (!chart.querySelector(":scope > title")?.textContent.trim()) complain("a chart without a title", chart);
    if (!chart.querySelector(":scope > desc")?.textContent.trim()) complain("a chart without a description", chart);
    // A chart may scroll; from 500 pixels on its heading, of letters of these sizes, does not have to.
    const edge = chart.parentElement.getBoundingClientRect().right;
    for (const line of chart.querySelectorAll('text[font-size="18"], text[font-size="13.5"]')) {
      if (window.innerWidth >= 500 && line.getBoundingClientRect().right > edge) complain("a heading that is cut", line);
    }
  }

  // Structure.
  for (const landmark of ["header", "main", "nav", "footer"]) {
    if (document.querySelectorAll(landmark).length !== 1) complaints.push(`not exactly one ${landmark}`);
  }
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) complain(`a heading that skips from ${level} to ${next}`, heading);
    level = next;
  }
  const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
  ids.filter((id, index) => ids.indexOf(id) !== index).forEach(id => complaints.push(`two elements called ${id}`));
  for (const attribute of ["aria-labelledby", "aria-describedby"]) {
    for (const element of document.querySelectorAll(`[${attribute}]`)) {
      for (const id of element.getAttribute(attribute).split(/\s+/)) {
        if (!document.getElementById(id)) complain(`a label that is not there (${id})`, element);
      }
    }
  }
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(link.getAttribute("href").slice(1))) complain("a link to nowhere", link);
  }
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption?.textContent.trim()) complain("a table without a caption", table);
    for (const cell of table.querySelectorAll("th")) if (!cell.scope) complain("a heading without scope", cell);
  }
  for (const element of document.querySelectorAll("main *")) {
    const scrolls = ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
    if (scrolls && element.scrollWidth > element.clientWidth && element.tabIndex < 0) {
      complain("something that scrolls out of reach of the keyboard", element);
    }
  }

  // Contrast, by WCAG 2.2: 4.5, for large text 3.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([red, green, blue]) => {
    const linear = [red, green, blue].map(value => value / 255).map(value =>
      value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const box = element.getBoundingClientRect();
    if (!texts.currentNode.textContent.trim() || box.width < 2 || box.height < 2) continue;
    const style = getComputedStyle(element);
    const ink = element.closest("svg") ? style.fill : style.color;
    const [light, dark] = [luminance(rgba(ink)), luminance(ground(element))].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < (large ? 3 : 4.5)) complain(`a contrast of ${contrast.toFixed(2)}`, element);
  }
  return [...new Set(complaints)];
})()
