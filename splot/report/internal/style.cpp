// How the page looks.
#include "splot/report/internal/html.h"

namespace splot::report_detail {
namespace {

// Colours by name, so that the dark page is the same rules with other values.
constexpr const char* kStyle = R"css(
:root{--page:#f3f5f8;--card:#fff;--text:#1c2530;--soft:#56616e;--line:#dfe4ea;--accent:#1f5fbf;--bad:#b3400a;
--good:#15795a;--warn:#fff4e5;--warn-line:#e6a23c;--shade:0 1px 2px rgb(20 30 50/.06),0 4px 16px rgb(20 30 50/.05)}
@media(prefers-color-scheme:dark){:root{--page:#0c1118;--card:#141b24;--text:#e6ebf2;--soft:#a5b0be;--line:#263140;
--accent:#7db0ff;--bad:#ffa05f;--good:#58d0a2;--warn:#2b2113;--warn-line:#b97d25;--shade:none}}
*{box-sizing:border-box}
html{font-size:clamp(15px,10px + .5vw,22px);-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);line-height:1.5;overflow-wrap:anywhere;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
main,header{max-width:94rem;margin:0 auto;padding:0 clamp(.9rem,2.4vw,2.4rem)}
header{padding-top:clamp(1.2rem,3vw,2.4rem)}
h1{font-size:clamp(1.45rem,1.1rem + 1.5vw,2.3rem);line-height:1.18;letter-spacing:-.015em;margin:.1rem 0 .5rem;text-wrap:balance}
h2{font-size:1.3rem;letter-spacing:-.01em;margin:2.6rem 0 .9rem}
h3{font-size:1rem;margin:0}
p{margin:.4rem 0;max-width:75ch}
a{color:var(--accent)}
.over{color:var(--accent);font-weight:600;font-size:.82rem;letter-spacing:.06em;text-transform:uppercase;margin:0}
.sub,.note,.caption{color:var(--soft)}
.note{font-size:.88rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.8rem;box-shadow:var(--shade);padding:1rem;margin:0;
min-width:0}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:1rem 0 0;font-size:.9rem}
nav a{text-decoration:none}nav a:hover{text-decoration:underline}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,11.5rem),1fr));gap:.8rem;margin:1.4rem 0 0}
.tile .label{color:var(--soft);font-size:.85rem;margin:0}
.tile .value{font-size:1.75rem;font-weight:650;letter-spacing:-.02em;line-height:1.2;margin:.15rem 0;
font-variant-numeric:tabular-nums}
.tile .more{color:var(--soft);font-size:.82rem;margin:0}
.tile.main .value{color:var(--accent)}
@media(max-width:30rem){.tiles{grid-template-columns:1fr 1fr;gap:.6rem}.tile{padding:.7rem .8rem}.tile .value{font-size:1.4rem}
.tile.main{grid-column:1/-1}.tile.main .value{font-size:2rem}.card{padding:.8rem}h2{margin-top:2rem}}
.warning{background:var(--warn);border:1px solid var(--warn-line);border-left-width:.35rem;border-radius:.6rem;padding:.7rem 1rem;
margin:.7rem 0}
.warning p{margin:.1rem 0;max-width:none}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,28rem),1fr));gap:1rem;align-items:start}
.wide{max-width:56rem}
figcaption{display:flex;justify-content:space-between;align-items:baseline;gap:1rem;margin-bottom:.5rem}
figcaption a{font-size:.8rem;font-weight:600;text-decoration:none;border:1px solid var(--line);border-radius:.4rem;padding:.05rem .5rem}
figcaption a:hover{border-color:var(--accent)}
svg.plot{display:block;width:100%;height:auto;max-height:34rem}
@media(max-width:30rem){.plot{font-size:15px}.plot .cell{font-size:12.5px}}
.digits{--n:4;display:grid;grid-template-columns:repeat(var(--n),minmax(0,1fr));gap:1rem .8rem}
.digits.small{--n:6;gap:.7rem}
@media(min-width:40rem){.digits{--n:6}.digits.small{--n:10}}
@media(min-width:60rem){.digits{--n:8}.digits.small{--n:15}}
@media(min-width:88rem){.digits{--n:12}.digits.small{--n:20}}
.digits.causes{--n:2}@media(min-width:40rem){.digits.causes{--n:3}}@media(min-width:60rem){.digits.causes{--n:4}}
.keep{white-space:nowrap}
.digits div{min-width:0;text-align:center;font-size:.82rem;line-height:1.3}
.digits img{display:block;width:100%;height:auto;image-rendering:pixelated;border-radius:.35rem;margin-bottom:.3rem;
outline:1px solid var(--line)}
.strips{display:grid;grid-template-columns:minmax(0,1fr);gap:.7rem}
@media(min-width:70rem){.strips{grid-template-columns:repeat(2,minmax(0,1fr));column-gap:1.4rem}}
.strip{min-width:0;font-size:.85rem}
.strip img{display:block;width:100%;max-width:60rem;height:auto;image-rendering:pixelated;border-radius:.35rem;margin:.15rem 0 .2rem}
.strip.first{display:grid;grid-template-columns:minmax(3rem,12%) minmax(0,1fr);gap:.2rem .8rem;align-items:start}
.strip.first>div{min-width:0}.strip.first>strong{grid-column:1/-1}.strip.first .caption{font-size:.78rem}
.confusions{margin-top:1rem;width:fit-content;max-width:100%}
.cells{border-collapse:separate;border-spacing:2px}
.cells th,.cells td{padding:0 .2rem;border:0;text-align:center;font-size:.8rem;line-height:1.2}
.cells thead th{writing-mode:vertical-rl;transform:rotate(180deg);text-align:left;padding:.3rem 0;vertical-align:bottom;line-height:2.6rem}
.cells tbody th{text-align:right;padding-right:.5rem}
.cells td{min-width:2.6rem;height:3.5rem;background:color-mix(in srgb,var(--line) 45%,transparent);border-radius:.3rem}
.cells td.right{background:color-mix(in srgb,var(--accent) 18%,transparent)}
.cells td.wrong{background:color-mix(in srgb,var(--bad) 18%,transparent)}
.cells td[tabindex]{cursor:zoom-in}
.cells img{display:block;width:2.2rem;height:2.2rem;object-fit:contain;margin:.15rem auto 0;image-rendering:pixelated;border-radius:.2rem}
.cells td:hover img,.cells td:focus img{position:fixed;right:1rem;bottom:1rem;width:min(45vw,16rem);height:min(45vw,16rem);margin:0;
z-index:9;background:var(--card);border:1px solid var(--line);border-radius:.6rem;box-shadow:0 6px 30px rgb(0 0 0/.35);padding:.4rem}
.cells td:hover .count,.cells td:focus .count{display:block;padding-top:2.35rem}
.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
table.full{width:100%}
th,td{padding:.38rem .65rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:.2rem}
.figures th,.figures td{padding-left:.4rem;padding-right:.4rem}
table.words th,table.words td{text-align:left;white-space:normal}
thead th{color:var(--soft);font-weight:600;font-size:.82rem;vertical-align:bottom}
tbody th{font-weight:500}
tr:last-child>*{border-bottom:0}
tr.best{background:color-mix(in srgb,var(--accent) 11%,transparent)}
code{font-family:ui-monospace,"SF Mono",Menlo,"DejaVu Sans Mono",monospace;font-size:.92em}
.columns{columns:20rem;column-gap:1rem}.columns .card{break-inside:avoid;margin-bottom:1rem}
details.card{margin-top:1rem}summary{cursor:pointer;color:var(--accent);font-weight:600}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.3rem 1.2rem;margin:0;font-size:.92rem}
dt{color:var(--soft)}dd{margin:0}
.scale{display:flex;align-items:center;gap:.6rem;font-size:.85rem;color:var(--soft);margin:.2rem 0 1rem}
.scale i{display:block;flex:0 1 12rem;height:.7rem;border-radius:.35rem;
background:linear-gradient(90deg,rgb(33 80 170),rgb(248 248 248),rgb(178 24 43))}
.scale i.grey{background:linear-gradient(90deg,#000,#808080,#fff)}
footer{max-width:94rem;margin:3rem auto 0;padding:1rem clamp(.9rem,2.4vw,2.4rem) 2rem;color:var(--soft);font-size:.82rem}
@media(max-width:30rem){th,td{padding:.35rem .35rem}table{font-size:.84rem}.digits.small .caption{font-size:.68rem}.digits div{font-size:.74rem}}
@media print{body{background:#fff}.card{box-shadow:none;break-inside:avoid}nav,figcaption a{display:none}.cells td:hover img,.cells td:focus img{position:static}}
)css";

}  // namespace

std::string page_style() { return Svg::style() + kStyle; }

}  // namespace splot::report_detail
