"""The linter of campaigns: each rule is broken once in a campaign that is good, and says so in one sentence."""

from __future__ import annotations

import re
import shutil

import pytest

from tangga import audiences, campaigns, settings
from tangga.campaigns import lint
from tangga.campaigns.fields import FIELDS
from tangga.campaigns.lint import steps
from tangga.settings import REPOSITORY

SHOP = "https://www.toko-tangga.example/"
BUTTON = '<mj-button mj-class="call" href="{{ links.shop }}">Lihat-lihat toko</mj-button>'
HELP = "{{ links.help }}"
NAME = '{{ greeting_name | fallback("Kak") }}'
ID, EN, YML, FOOTER = "hello.id.mjml", "hello.en.mjml", "campaign.yml", "../_shared/footer.id.mjml"
HELLO = "welcome, step 1 (id): "
WAY = '<a href="{{ unsubscribe_url }}">berhenti berlangganan</a>'
KNOWN = ", ".join(FIELDS)
ELEMENTS = "mj-all, mj-attributes, mj-body, mj-breakpoint, mj-button, mj-class, mj-column, mj-divider, mj-font, "
ELEMENTS += "mj-group, mj-head, mj-image, mj-preview, mj-raw, mj-section, mj-spacer, mj-style, mj-table, mj-text, "
ELEMENTS += "mj-title, mj-wrapper, mjml"
DOMAIN = "which campaigns.allowed_domains of tangga.yml does not allow; correct it or add it there."
WRITE_HTTPS = "is not https; write the whole address, with https://."
BAD_SIGNS = "is not well-formed; write it like https://host/path, other signs as %XX."
NO_HOST = "names a login, a port or a number instead of a host; write it like https://host/path."
ONE_BUTTON = "ask for one thing, with one <mj-button>."


SETTINGS = settings.load(REPOSITORY / "tangga.yml")


@pytest.fixture
def company(tmp_path):
    """A company of which `campaigns/` holds the welcome alone, and what all campaigns share."""
    for name in ("welcome", "_shared"):
        shutil.copytree(REPOSITORY / "campaigns" / name, tmp_path / "campaigns" / name)
    block = SETTINGS.campaigns.model_copy(update={"folder": str(tmp_path / "campaigns")})
    return SETTINGS.model_copy(update={"campaigns": block})


def change(company, name: str, old: str, new: str) -> None:
    path = campaigns.folder_of(company) / "welcome" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def findings(company) -> list[str]:
    return [str(finding) for finding in lint.check(company) if finding.campaign == "welcome"]


def rules(company) -> set[str]:
    return {finding.rule for finding in lint.check(company) if finding.campaign == "welcome"}


def test_the_real_campaigns_are_good():
    assert [str(finding) for finding in lint.check(SETTINGS)] == []


def test_the_copy_of_one_is_good(company):
    assert findings(company) == []


LINKS = [
    ("http://www.toko-tangga.example/", WRITE_HTTPS),
    ("//www.toko-tangga.example/", WRITE_HTTPS),
    ("/bantuan", WRITE_HTTPS),
    ("javascript:alert(1)", WRITE_HTTPS),
    ("mailto:ani@toko-tangga.example", WRITE_HTTPS),
    ("https://", BAD_SIGNS),
    ("https://www.toko-tangga.example/a b", BAD_SIGNS),
    ("https://www.toko-tangga.example/é", BAD_SIGNS),
    ("https://[", "is not an address; write it like https://host/path."),
    ("https://www.toko-tangga.example:x/", "is not an address; write it like https://host/path."),
    ("https://www.toko-tangga.example:8443/", NO_HOST),
    ("https://www.toko-tangga.example@evil.example/", NO_HOST),
    ("https://192.0.2.7/", NO_HOST),
    ("https://bit.ly/abc", "is shortened; write where it leads."),
    ("https://evil.example/", f"leads to evil.example, {DOMAIN}"),
    ("https://eviltoko-tangga.example/", f"leads to eviltoko-tangga.example, {DOMAIN}"),
    ("https://toko-tangga.example.evil.example/", f"leads to toko-tangga.example.evil.example, {DOMAIN}"),
]


@pytest.mark.parametrize(("address", "said"), LINKS)
def test_links(company, address, said):
    change(company, ID, HELP, address)
    assert findings(company) == [f"{HELLO}the link '{address}' {said}"]


@pytest.mark.parametrize(
    "address", ["https://toko-tangga.example", "https://a.b.toko-tangga.example/x?y=1&amp;z=%20#k"]
)
def test_links_that_are_fine(company, address):
    change(company, ID, HELP, address)
    assert findings(company) == []


MESSAGES = [
    # One thing is asked for.
    ("call", ID, BUTTON, "", f"has no button; {ONE_BUTTON}"),
    ("call", ID, BUTTON, BUTTON + BUTTON, f"has 2 buttons; {ONE_BUTTON}"),
    ("call", ID, "Lihat-lihat toko", " ", "the button says 0 characters; say what happens in 1 to 30."),
    ("call", ID, "Lihat-lihat toko", "x" * 31, "the button says 31 characters; say what happens in 1 to 30."),
    ("call", ID, 'href="{{ links.shop }}"', 'href="{{ unsubscribe_url }}"',
     "the button leads nowhere; give it a link."),
    ("call", ID, ' href="{{ links.shop }}"', "", "the button leads nowhere; give it a link."),
    # Everybody is greeted, and nobody by a hole.
    ("greeting", ID, NAME, "teman",
     'does not greet by name; begin with {{ greeting_name | fallback("...") }}.'),
    ("fallback", ID, NAME, "{{ greeting_name }}",
     'greeting_name has no fallback for who has none; write {{ greeting_name | fallback("...") }}.'),
    ("fallback", YML, NAME, "{{ greeting_name }}",
     'greeting_name has no fallback for who has none; write {{ greeting_name | fallback("...") }}.'),
    ("render", ID, '"Kak"', '" "',
     "the fallback of greeting_name is made of letters, digits, blanks and .,!?- only; reword it."),
    ("render", ID, '"Kak"', '"*|X|*"',
     "the fallback of greeting_name is made of letters, digits, blanks and .,!?- only; reword it."),
    ("render", ID, NAME, '{{ brand.name | fallback("x") }}',
     "gives a fallback to what is no merge field; take it away."),
    ("render", ID, f"Hai {NAME}", "{% if greeting_name %}Hai{% endif %}",
     "asks for greeting_name in a condition, which only the tool could answer; use fallback(...)."),
    # The fields are those that there are.
    ("fields", ID, NAME, '{{ first_name | fallback("Kak") }}',
     f"asks for first_name, which does not exist; use {KNOWN}."),
    ("fields", ID, "Senang sekali", "*|NAME|*",
     "holds '*|', the code of one tool; use the merge fields, which every tool is given."),
    # What a mail program shows of it before it is opened.
    ("subject", YML, "id: Selamat datang", f"id: {'Selamat datang' * 4}",
     "the subject has 61 characters of at most 60; shorten it."),
    ("subject", YML, "id: Selamat", 'id: "Re: Selamat', "the subject pretends to be an answer; take the 'Re:' away."),
    ("subject", YML, "id: Selamat datang, {{ greeting_name | fallback(\"Kak\") }}", 'id: "Selamat\\nBcc: ani"',
     "the subject holds a line break or another sign that is not seen; write it in one line."),
    ("preheader", YML, "id: Senang kamu di sini. Ini yang bisa kamu harapkan dari kami.", "id: Senang kamu di sini.",
     "the preheader has 20 characters; use 30 to 110."),
    ("preheader", YML, "id: Senang", f"id: {'Senang sekali ' * 5}",
     "the preheader has 123 characters; use 30 to 110."),
    ("preheader", YML, "id: Senang", "id: Selamat datang, {{ greeting_name | fallback('Kak') }}",
     "the preheader repeats the subject; let it say what comes next."),
    ("shouting", YML, "id: Selamat datang", "id: SELAMAT datang", "the subject shouts 'SELAMAT'; say it calmly."),
    ("shouting", YML, "id: Senang kamu di sini.", "id: Senang kamu di sini!!",
     "the preheader shouts '!!'; say it calmly."),
    ("shouting", ID, "Senang sekali", "SENANG sekali", "the text shouts 'SENANG'; say it calmly."),
    # Who writes, and how to make it stop.
    ("sender", FOOTER, "{{ brand.company }}", "Kami",
     "does not name the company of tangga.yml (campaigns.company); keep the shared footer."),
    ("sender", FOOTER, "{{ brand.address }}", "Jakarta",
     "does not name the address of tangga.yml (campaigns.address); keep the shared footer."),
    ("unsubscribe", FOOTER, WAY, "menjawab email ini",
     "has no link to unsubscribe; keep the shared footer, or link {{ unsubscribe_url }} with words."),
    ("unsubscribe", FOOTER, WAY, '<a href="{{ unsubscribe_url }}"></a>',
     "has no link to unsubscribe; keep the shared footer, or link {{ unsubscribe_url }} with words."),
    ("unsubscribe", FOOTER, WAY, '<a style="display:none" href="{{ unsubscribe_url }}">berhenti</a>',
     "hides the link to unsubscribe; let everybody see it."),
    ("unsubscribe", FOOTER, WAY, '<a href="{{ unsubscribe_url }}">\u200b</a>',
     "has no link to unsubscribe; keep the shared footer, or link {{ unsubscribe_url }} with words."),
    ("unsubscribe", FOOTER, WAY, f'{{% if "https" in unsubscribe_url %}}{WAY}{{% endif %}}',
     "has no link to unsubscribe; keep the shared footer, or link {{ unsubscribe_url }} with words."),
    ("unsubscribe", FOOTER, WAY, '<a href="https://unsubscribe.invalid/example">berhenti</a>',
     "has no link to unsubscribe; keep the shared footer, or link {{ unsubscribe_url }} with words."),
    *(("unsubscribe", FOOTER, WAY, f'<span style="{style}">{WAY}</span>',
       "hides the link to unsubscribe; let everybody see it.")
      for style in ("font-size:0", "opacity: 0;", "visibility:hidden")),
    # Links and images.
    *(("links", ID, BUTTON, f"{BUTTON}<mj-raw>{code}</mj-raw>", f"the address '{address}' {said}")
      for code, address, said in (
          ('<meta http-equiv="refresh" content="0;url=https://evil.example/" />', "https://evil.example/",
           f"leads to evil.example, {DOMAIN}"),
          ('<p style="background:image-set(\'//evil.example/a.png\' 1x)">x</p>', "//evil.example/a.png", WRITE_HTTPS),
          ('<!--[if mso]><a href="https://evil.example">x</a><![endif]-->', "https://evil.example",
           f"leads to evil.example, {DOMAIN}"),
          ("<p>https://evil.example</p>", "https://evil.example", f"leads to evil.example, {DOMAIN}"),
      )),
    ("links", ID, HELP, "https://www.toko-tangga.example/{{ greeting_name | fallback('x') }}",
     "a link holds a merge field, and addresses end up in logs; lead everybody to the same page."),
    ("render", ID, "links.help", "links.hlep",
     "campaigns.links of tangga.yml has no hlep; add it, or name another."),
    ("text", ID, f'<a href="{HELP}"', f'<a style="display:none" href="{HELP}"',
     "the plain text lacks the link 'https://www.toko-tangga.example/bantuan'; put words into the link."),
    ("images", ID, BUTTON, f'{BUTTON}<mj-image src="{SHOP}a.png" alt=" " />',
     f"the image '{SHOP}a.png' has no alt; say in words what it shows."),
    ("images", ID, BUTTON, f'{BUTTON}<mj-image src="https://evil.example/a.png" alt="Kopi" />',
     f"the image 'https://evil.example/a.png' leads to evil.example, {DOMAIN}"),
    ("images", ID, "Senang sekali", '<span style="background:url(http://x.example/a.png)">Senang</span>',
     f"the image 'http://x.example/a.png' {WRITE_HTTPS}"),
    # The HTML.
    ("markup", ID, "</mj-button>", "</mj-button><mj-carousel></mj-carousel>",
     f"<mj-carousel> is not an element that may be used; use {ELEMENTS}."),
    ("markup", ID, BUTTON, f"{BUTTON}<mj-raw><form></form></mj-raw>", "<form> does not work in mail; take it away."),
    ("markup", ID, "Senang sekali", '<b onclick="x()">Senang</b>',
     "an element holds a script (on...=); take it away."),
    ("escaping", ID, NAME, '{{ greeting_name | fallback("Kak") | string | safe }}',
     "lets a customer's data become part of the HTML; take `| safe` away."),
    ("render", ID, "{% block content %}", "{% block content",
     "line 3 of the template cannot be read (expected token 'end of statement block', got '<'); correct it."),
    ("render", ID, "Senang sekali", "{{ 1 / 0 }}", "cannot be judged (ZeroDivisionError); say it in simpler words."),
    ("render", ID, "_shared/layout.mjml", "_shared/lay.mjml", "there is no file _shared/lay.mjml; write it."),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "file", "old", "new", "said"), MESSAGES)
def test_a_message_that_breaks_a_rule(company, rule, file, old, new, said):
    change(company, file, old, new)
    if "Re: Selamat" in new:
        change(company, file, '("Kak") }}', "('Kak') }}\"")
    found = findings(company)
    if file == FOOTER:  # all messages in Indonesian have it
        assert found == [f"welcome, step {step} (id): {said}" for step in (1, 2, 3)]
    else:
        assert found == [HELLO + said]
    assert rules(company) == {rule}


TOO_LATE = (
    "but a member gets steps for {} days only, the day of entry being 0; choose an earlier day or change `lasts`."
)
CAMPAIGNS = [
    ("form", YML, "label: Welcome", "label: Welcome\ncolour: red", "",
     "FOLDER/campaign.yml: colour: Extra inputs are not permitted."),
    ("form", YML, "day: 0", "day: -1", "",
     "FOLDER/campaign.yml: steps.0.day: Input should be greater than or equal to 0."),
    ("form", YML, "steps:", "steps: none\nlater:", "",
     "FOLDER/campaign.yml: (top): steps: give a list with a block of keys for each step."),
    ("audience", YML, "audience: welcome", "audience: welcom", "",
     "there is no audience welcom; name one of _audiences.yml."),
    ("audience", YML, "audience: welcome", "audience: winback", "",
     "the audience winback does not name this campaign; say so in _audiences.yml, or here."),
    ("languages", YML, '      en: Welcome, {{ greeting_name | fallback("friend") }}\n', "", ", step 1 (en)",
     "has no subject in this language; write it."),
    ("languages", YML, "preheader:\n", "preheader:\n      de: Sie haben Post\n", ", step 1 (de)",
     "has a preheader in a language that `languages` does not name; add it there or remove it."),
    ("languages", YML, "  en: you recently", "  de: dank\n  en: you recently", " (de)",
     "has a reason in a language that `languages` does not name; add it there or remove it."),
    ("languages", ID, "Senang sekali", '{{ recommended_product | fallback("Senang") }}', ", step 1 (en)",
     "does without recommended_product, which another language uses; say the same in both."),
    ("timeline", YML, "day: 2", "day: 0", ", step 2",
     "day 0 does not come after day 0 of the step before; put the days in order."),
    ("timeline", YML, "day: 5", "day: 7", ", step 3", f"is due on day 7, {TOO_LATE.format(7)}"),
    ("timeline", YML, "lasts: audiences.welcome_days", "lasts: 5", ", step 3",
     f"is due on day 5, {TOO_LATE.format(5)}"),
    ("timeline", YML, "welcome_days", "wellcome_days", "",
     "`lasts` names the rule audiences.wellcome_days, which is no number of days; see docs/rules.md."),
    ("fields", YML, "fields: [greeting_name", "fields: [greeting_name, shoe_size", "",
     f"`fields` lists shoe_size, which does not exist; use {KNOWN}."),
    ("fields", YML, "fields: [greeting_name", "fields: [greeting_name, preferred_category", "",
     "`fields` lists preferred_category, which no step uses; take it away."),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "file", "old", "new", "place", "said"), CAMPAIGNS)
def test_a_campaign_that_breaks_a_rule(company, rule, file, old, new, place, said):
    change(company, file, old, new)
    folder = campaigns.folder_of(company) / "welcome"
    assert findings(company) == [f"welcome{place}: {said.replace('FOLDER', str(folder))}"]
    assert rules(company) == {rule}


def test_a_field_that_the_campaign_does_not_list(company):
    for file, old in ((ID, "Senang sekali"), (EN, "It is lovely")):
        change(company, file, old, '{{ preferred_category | fallback("Senang") }}')
    said = "uses preferred_category, which `fields` of campaign.yml does not list; list it or do without."
    assert findings(company) == [f"welcome, step 1 ({code}): {said}" for code in ("id", "en")]


@pytest.mark.parametrize("name", sorted(field.name for field in FIELDS.values() if not field.readable))
def test_a_field_that_is_not_for_reading(company, name):
    for file in (ID, EN):
        change(company, file, "<br />", f'<br />{{{{ {name} | fallback("x") }}}} ')
    change(company, YML, "fields: [", f"fields: [{name}, ")
    said = f"shows {name}, whose values are not meant to be read; take it out of the words."
    assert findings(company) == [f"welcome, step 1 ({code}): {said}" for code in ("id", "en")]


def test_another_field_is_no_greeting(company):
    change(company, "first_choice.id.mjml", NAME, '{{ recommended_product | fallback("Kopi") }}')
    change(company, "first_choice.en.mjml", '{{ greeting_name | fallback("there") }}', "you")
    said = 'does not greet by name; begin with {{ greeting_name | fallback("...") }}.'
    assert findings(company) == [f"welcome, step 3 ({code}): {said}" for code in ("id", "en")]


def test_files_without_a_step_and_steps_without_a_file(company):
    folder = campaigns.folder_of(company) / "welcome"
    (folder / EN).rename(folder / "helo.en.mjml")
    assert findings(company) == [
        "welcome, step 1 (en): there is no hello.en.mjml; write it.",
        "welcome: helo.en.mjml belongs to no step; name it in campaign.yml or remove it.",
    ]


def test_what_is_not_utf_8(company):
    (campaigns.folder_of(company) / "welcome" / ID).write_bytes(b"caf\xe9")
    assert findings(company) == [f"{HELLO}hello.id.mjml is not UTF-8 text; save it as such."]


def test_what_is_not_closed(company):
    change(company, ID, BUTTON, "<mj-divider>")
    [found] = findings(company)
    assert found.startswith(f"{HELLO}is not MJML (")


def test_html_that_is_not_xml(company):
    change(company, ID, "Senang sekali", "Senang & sekali")
    assert findings(company) == [
        f"{HELLO}is not well-formed (xmlParseEntityRef: no name, line 27, column 75); "
        "close every element and write & as &amp;."
    ]


def test_a_layout_that_does_not_say_its_language(company):
    change(company, "../_shared/layout.mjml", ' lang="{{ code }}"', ' lang="id"')
    said = "does not say that its language is en; extend _shared/layout.mjml."
    assert findings(company) == [f"welcome, step {step} (en): {said}" for step in (1, 2, 3)]


def test_html_that_gmail_would_cut(company):
    change(company, ID, "Senang sekali", "Senang sekali " * 8000)
    [found] = findings(company)
    assert re.fullmatch(
        re.escape(HELLO) + r"has 12\d{4} bytes of at most 102000, beyond which Gmail cuts; shorten it\.", found
    )


def test_words_in_the_tool_and_here(company):
    [campaign] = [campaign for campaign in campaigns.load(company) if campaign.name == "welcome"]
    registry = [entry.model_copy(update={"content": "tool"}) for entry in audiences.load()]
    assert [str(finding) for finding in steps.check(company, campaign, registry)] == [
        "welcome: the audience welcome has its words in the tool; take `content: tool` or the folder away."
    ]


def test_an_audience_whose_words_are_nowhere(company):
    missing = [finding for finding in lint.check(company) if finding.campaign != "welcome"]
    assert {finding.campaign for finding in missing} == {"cart_abandonment", "winback", "birthday"}
    assert str(missing[0]) == (
        "cart_abandonment: aud_cart_abandonment names this campaign, which has no folder; write it, or say "
        "`content: tool` in _audiences.yml if its words are in the e-mail tool."
    )


def test_a_broken_campaign_is_refused_and_the_others_are_not(company):
    for name in ("cart_abandonment", "winback", "birthday"):
        shutil.copytree(REPOSITORY / "campaigns" / name, campaigns.folder_of(company) / name)
    assert lint.refused(company) == {}
    change(company, YML, "day: 2", "day: 0")
    said = "welcome, step 2: day 0 does not come after day 0 of the step before; put the days in order."
    assert lint.refused(company) == {"welcome": [said]}
    change(company, YML, "label: Welcome", "label:")
    assert list(lint.refused(company)) == ["welcome"]


def test_a_company_whose_words_live_in_the_tool_is_asked_nothing(company):
    elsewhere = company.model_copy(update={"campaigns": None})
    change(company, YML, "day: 2", "day: 0")
    assert (lint.check(elsewhere), lint.refused(elsewhere)) == ([], {})


def test_every_rule_is_documented():
    said = (REPOSITORY / "docs" / "campaigns.md").read_text()
    tested = {rule for rule, *_ in MESSAGES + CAMPAIGNS} | {"size", "mobile"}
    assert set(re.findall(r"^\| `(\w+)` \| ", said.split("## What the linter asks")[1], re.M)) == tested
    assert set(re.findall(r"^\| `(\w+)` \| ", said.split("## Merge fields")[1].split("##")[0], re.M)) == set(FIELDS)


def test_the_same_words_twice(company):
    folder = campaigns.folder_of(company) / "welcome"
    (folder / YML).write_text((folder / YML).read_text().replace("template: first_choice", "template: hello"))
    said = "sends hello again, and nobody gets the same words twice; write a template of its own."
    assert f"welcome, step 3: {said}" in findings(company)
