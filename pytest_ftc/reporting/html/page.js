const tools = document.querySelector(".tools"), field = document.getElementById("search");
const artifacts = [...document.querySelectorAll("details.artifact")];
const all = document.querySelectorAll("main details");
const text = element => element.textContent.toLowerCase();
let known = null;
// Environment tables name every variation, so searching them would match every artifact.
const remarks = one => [...one.querySelectorAll(".inside > p, .inside > pre, .inside > .notes")].map(text).join(" ");
const look = () => known = artifacts.map(one => ({
  one, title: text(one.querySelector("summary")), remarks: remarks(one),
  findings: [...one.querySelectorAll(".finding")].map(finding => ({ finding, text: text(finding) })),
}));
const filters = [...tools.querySelectorAll("select, #new")];
const chosen = name => document.getElementById(name)?.value || "";
const search = () => {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const verdict = chosen("verdict"), cause = chosen("cause"), fresh = !!document.getElementById("new")?.checked;
  const counts = finding => (!cause || finding.dataset.cause === cause) && !(fresh && finding.classList.contains("known"));
  let shown = 0, places = 0;
  const matching = [];
  for (const { one, title, remarks, findings } of known || look()) {
    const whole = words.every(word => (title + remarks).includes(word));
    const right = !verdict || one.dataset.verdict === verdict;
    const fit = findings.filter(({ finding, text }) =>
      right && counts(finding) && (whole || words.every(word => (title + text).includes(word))));
    one.hidden = !right || !(whole && !cause && !fresh) && fit.length === 0;
    for (const each of findings) each.finding.hidden = !fit.includes(each);
    if ((words.length || cause || fresh) && fit.length) matching.push(one, ...fit.map(each => each.finding.closest(".more")).filter(Boolean));
    const more = one.querySelector(".more");
    if (more) more.hidden = !fit.some(each => more.contains(each.finding));
    shown += !one.hidden;
    places += fit.length;
  }
  if (places <= 30) for (const one of matching) one.open = true;
  const plural = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;
  document.getElementById("found").textContent = words.length || verdict || cause || fresh
    ? `${plural(places, "finding")} in ${plural(shown, "artifact")} of ${artifacts.length}` : "";
};
tools.hidden = artifacts.length === 0;
field.addEventListener("input", search);
for (const one of filters) one.addEventListener("change", search);
document.getElementById("expand").addEventListener("click", () => all.forEach(one => one.open = true));
document.getElementById("collapse").addEventListener("click", () => all.forEach(one => one.open = false));
document.addEventListener("keydown", event => {
  if (event.key === "/" && document.activeElement !== field) { event.preventDefault(); field.focus(); }
  if (event.key === "Escape" && document.activeElement === field) { field.value = ""; search(); }
});
const reveal = () => {
  const target = document.getElementById(location.hash.slice(1));
  for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", reveal);
reveal();
