"""Bodies that are no page: the shell of an app, a wall of consent, a sign-in form, a bot check.

A body is recognised by its own words, and by how little else there is: a page about cookies is a page.
"""

from __future__ import annotations

import re

_SMALL = 700  # characters of text; a wall has fewer
_CHALLENGE_TITLE = re.compile(
    r"(?i)^\W*(just a moment|attention required|checking your browser|please wait|access denied|are you a robot"
    r"|one more step|ddos-guard|security check|verifying you are human|robot check|bot verification|human verification"
    r"|captcha|pardon our interruption|einen moment|un momento|un instant)"
)
_CHALLENGE = re.compile(
    r"(?i)verif(?:y|ying|ies) (?:that )?you(?:'re| are)? (?:a )?human|checking (?:if the site connection|your browser)"
    r"|unusual traffic from your|complete the (?:captcha|security check)|solve (?:the|this) captcha"
    r"|are you a (?:robot|human)\?"
    r"|confirm (?:that )?you(?:'re| are) (?:not a robot|(?:a )?human)|i(?:'m| am) not a robot|why have i been blocked"
    r"|needs? to review the security of your connection|enable (?:javascript and )?cookies to continue"
    r"|automated (?:access|requests|queries)|ray id:|press (?:&|and) hold"
)
_SCRIPT = re.compile(
    r"(?i)(?:enable|activate|turn on|requires?|allow|needs?|without|switch on|supports?) (?:the use of )?java ?script"
    r"|java ?script (?:is|must be|has to be|needs to be|seems to be|appears to be|is currently)? ?"
    r"(?:required|disabled|enabled|needed|necessary|turned off|not (?:enabled|supported|available))"
    r"|javascript (?:zu )?(?:aktivieren|einschalten)|javascript (?:ist|wird) "
    r"|aktivier\w* (?:sie )?(?:bitte )?javascript"
    r"|activ\w+ (?:le |el |il |o )?javascript|habilit\w+ (?:el |o )?javascript|abilit\w+ javascript|schakel javascript"
    r"|включит\w+ javascript|javascriptを有効|启用 ?javascript|啟用 ?javascript|javascript를"
    r"|(?:your|this|unsupported) browser (?:is|does) (?:not|no longer|out of date)|update your browser"
    r"|unsupported browser"
)
_CONSENT = re.compile(
    r"(?i)before you continue|we value your privacy"
    r"|(?:we|and our (?:\d+ )?partners)[^.]{0,80}(?:use|store)[^.]{0,60}cookies"
    r"|accept (?:all )?cookies|cookie (?:consent|preferences|settings|policy)"
    r"|manage (?:my )?(?:cookies|preferences|choices|consent)|privacy choices|consent to (?:the use|our use|cookies)"
    r"|wir (?:verwenden|nutzen) cookies|cookies (?:akzeptieren|zustimmen)|we gebruiken cookies"
    r"|nous (?:utilisons|respectons)[^.]{0,60}(?:cookies|vie privée)|utilizamos cookies|utilizziamo (?:i )?cookie"
    r"|bevor sie (?:fortfahren|weitergehen|zu)|avant d'accéder|antes de continuar"
)
_ACCEPTS = re.compile(
    r"(?i)<(?:button|a|input)\b[^<>]{0,2000}(?:>[^<>]{0,60}|value=.{0,40})"
    r"\b(?:accept|agree|reject|decline|allow|consent|akzept|zustimm|ablehn|accepte|refus|acept|rechaz|accett|rifiut|akkoord)"
)
_SIGN_IN = re.compile(
    r"(?i)(?:log|sign) ?-?in to (?:continue|view|read|access|see|your)"
    r"|(?:please|you must|you need to|you have to|must be) (?:log|sign|be logged|be signed|logged|signed) ?-?in"
    r"|(?:log|sign) ?-?in (?:is )?required|forgot (?:your )?password"
    r"|create (?:an|your) account to|members only|bitte (?:melden|loggen) sie sich|anmelden,? um|connectez-vous pour"
    r"|iniciar? sesión para|inicia sesión|accedi per|пароль|ログインして|登录后|請先登入"
)
_PASSWORD = re.compile(r"<input\b[^<>]{0,2000}\btype\s*=\s*[\"']?password", re.I)
_ROOT = re.compile(
    r"<(?:div|main|section)\b[^<>]{0,400}\bid\s*=\s*[\"']?(?:root|app|__next|__nuxt|___gatsby|svelte|q-app|main-app|react-root"
    r"|react-app|application|ember\d*|app-root|mount|gatsby-focus-wrapper)[\"'\s>]|<app-root\b|\bng-app\b|\bdata-reactroot\b",
    re.I,
)
_NOSCRIPT = re.compile(r"<noscript\b[^<>]*>(.{0,4000}?)</noscript", re.I | re.S)
_WAITS = re.compile(
    r"(?i)^\W*(?:loading|please wait|wird geladen|chargement|cargando|загрузка|加载中|読み込み中)\b[\s.…]*"
)
_TAG = re.compile(r"<[^<>]*>")


def why_no_page(markup: str, title: str, body: str, *, has_scripts: bool) -> str:
    """`challenge`, `needs_browser`, `consent`, `sign_in` or `empty`; "" when the body is a page's.

    Args:
        markup: the page as the tree was made of it.
        title: its title.
        body: the text that was found.
        has_scripts: programs were in it.
    """
    text = " ".join(body.split())
    size = len(text)
    if size < 1500 and _CHALLENGE_TITLE.match(title):
        return "challenge"
    if size >= _SMALL:
        return ""
    rest = _left(text, title)
    if _CHALLENGE.search(text):
        return "challenge"
    silent = " ".join(_TAG.sub(" ", part) for part in _NOSCRIPT.findall(markup[:400_000]))
    shell = has_scripts and _ROOT.search(markup) is not None
    if _is_notice(text, _SCRIPT) or (len(rest) < 200 and (shell or not rest) and _SCRIPT.search(silent)):
        return "needs_browser"
    if shell and (len(rest) < 30 or _WAITS.fullmatch(rest)):
        return "needs_browser"
    if _PASSWORD.search(markup) and (len(rest) < 300 or _SIGN_IN.search(text)):
        return "sign_in"
    if _is_notice(text, _SIGN_IN):
        return "sign_in"
    if _is_notice(text, _CONSENT, most=_SMALL) and _ACCEPTS.search(markup[:300_000]):
        return "consent"
    return "" if rest else "empty"


def _left(text: str, title: str) -> str:
    """The text behind a title that stands at its beginning: the title alone is no text."""
    rest = text.lstrip("# ")
    for heading in (title, title.partition(" - ")[0], title.partition(" | ")[0]):
        if heading and rest.startswith(heading):
            return rest[len(heading) :].strip(" -|–—#")
    return rest


def _is_notice(text: str, pattern: re.Pattern[str], most: int = 320) -> bool:
    """True for a text shorter than `most` characters whose first sentences match `pattern`."""
    return bool(text) and len(text) < most and pattern.search(text[:250]) is not None
