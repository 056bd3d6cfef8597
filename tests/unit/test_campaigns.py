"""Campaigns as data, as messages, on a small screen, and as the plan of a day sees them."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from types import SimpleNamespace

import duckdb
import pytest
import yaml

from expectations import outbound
from tangga import audiences, campaigns, settings
from tangga.activation import plan
from tangga.campaigns import mobile, render, tools
from tangga.campaigns.fields import FIELDS
from tangga.local import campaigns as command
from tangga.settings import REPOSITORY, SettingsError

DAY = date(2026, 5, 20)
SETTINGS = settings.load(REPOSITORY / "tangga.yml")


@pytest.fixture
def company(tmp_path):
    """The demo company with a home and campaigns of its own to spoil."""
    shutil.copytree(REPOSITORY / "campaigns", tmp_path / "campaigns")
    block = SETTINGS.campaigns.model_copy(update={"folder": str(tmp_path / "campaigns")})
    return SETTINGS.model_copy(update={"campaigns": block, "home": tmp_path / "var"})


def welcome(company) -> campaigns.Campaign:
    [found] = [campaign for campaign in campaigns.load(company) if campaign.name == "welcome"]
    return found


def change(company, name: str, old: str, new: str) -> None:
    path = campaigns.folder_of(company) / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# --- as data -------------------------------------------------------------------------------------


def test_the_steps_are_data():
    drips = {
        campaign.name: (campaign.audience, [(step.number, step.day, step.exit) for step in campaign.steps])
        for campaign in campaigns.load()
    }
    assert drips == {
        "birthday": ("birthday", [(1, 0, "never")]),
        "cart_abandonment": ("cart_abandonment", [(1, 0, "ordered"), (2, 3, "ordered")]),
        "welcome": ("welcome", [(1, 0, "ordered"), (2, 2, "ordered"), (3, 5, "ordered")]),
        "winback": ("winback", [(1, 0, "ordered"), (2, 14, "ordered")]),
    }
    json.dumps([campaign.model_dump(mode="json") for campaign in campaigns.load()])


def test_the_registry_says_whose_words_live_in_the_tool():
    said = {entry.campaign: entry.content for entry in audiences.with_campaigns(audiences.load())}
    assert {name for name, content in said.items() if content == "campaigns"} == {c.name for c in campaigns.load()}
    assert {name for name, content in said.items() if content == "tool"} == {
        "second_purchase",
        "service_recovery",
        "referral",
        "feedback_request",
    }


def test_every_fault_is_said_at_once(company):
    change(company, "welcome/campaign.yml", "label: Welcome", "lable: Welcome")
    change(company, "winback/campaign.yml", "lasts: 30", "lasts: 0")
    with pytest.raises(SettingsError) as error:
        campaigns.load(company)
    folder = campaigns.folder_of(company)
    assert str(error.value).splitlines() == [
        f"{folder}/welcome/campaign.yml: label: Field required",
        f"{folder}/welcome/campaign.yml: lable: Extra inputs are not permitted",
        f"{folder}/winback/campaign.yml: lasts: give a number of days, or the name of a rule such as "
        "audiences.welcome_days",
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "allowed_domains: [https://x.example]",
            "allowed_domains.0: 'https://x.example' cannot be used; write a domain",
        ),
        ("allowed_domains: []", "allowed_domains: Tuple should have at least 1 item"),
        ("colours: {brand: red}", "colours.brand: 'red' cannot be used; write a colour like #0f766e"),
        ("colour: red", "colour: is not a setting; check the spelling"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path, given, said):
    allowed = "" if "allowed" in given else "allowed_domains: [x.example], "
    (tmp_path / "tangga.yml").write_text(
        "business: {name: Toko, time_zone: Asia/Jakarta, currency: IDR, country: ID}\n"
        "sources: {shop: {path: inbox, entities: {contacts: {path: c.csv}}}}\n"
        f"campaigns: {{company: PT, address: Jakarta, {allowed}{given}}}\n"
    )
    with pytest.raises(SettingsError, match=re.escape(f"campaigns.{said}")):
        settings.load(tmp_path / "tangga.yml")


def test_a_folder_of_ones_own_takes_what_it_lacks_from_tangga(company):
    shutil.rmtree(campaigns.folder_of(company) / "_shared")
    message = render.message(company, welcome(company), welcome(company).steps[0], "en")
    assert "PT Tangga Niaga Indonesia" in message.text


# --- as messages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "name", "unsubscribe"),
    [
        ("example", "Ani", "https://unsubscribe.invalid/example"),
        ("mailchimp", "*|IF:GREETING|**|GREETING|**|ELSE:|*friend*|END:IF|*", "*|UNSUB|*"),
        ("hubspot", "{{ personalization_token('contact.greeting_name', 'friend') }}", "{{ unsubscribe_link }}"),
    ],
)
def test_each_tool_gets_its_own_tags(tool, name, unsubscribe):
    campaign = welcome(SETTINGS)
    message = render.message(SETTINGS, campaign, campaign.steps[0], "en", tools.TOOLS[tool])
    assert message.subject == f"Welcome, {name}"
    greeting = name.replace("friend", "there")
    assert f"Hi {greeting}, welcome!" in message.html
    assert f"Hi {greeting}, welcome!\n\nThank you for joining Toko Tangga." in message.text
    assert message.html.count(f'href="{unsubscribe}"') == 1
    assert f"unsubscribe <{unsubscribe}> at any time." in message.text


def test_hubspot_says_itself_who_writes():
    campaign = welcome(SETTINGS)
    message = render.message(SETTINGS, campaign, campaign.steps[0], "en", tools.TOOLS["hubspot"])
    assert "{{ site_settings.company_name }}, {{ site_settings.company_street_address_1 }}, " in message.html
    assert SETTINGS.campaigns.company not in message.html


def test_the_fields_are_columns_of_the_mart():
    mart = REPOSITORY / "dbt_project" / "models" / "marts" / "customer" / "_personalization.yml"
    [model] = yaml.safe_load(mart.read_text())["models"]
    assert {column["name"] for column in model["columns"]} - {"customer_id", "as_of_date"} == set(FIELDS)


def test_mailchimp_takes_its_tags():
    """Capitals, digits and _, at most ten; each once."""
    tags = [field.mailchimp for field in FIELDS.values()]
    assert [tag for tag in tags if not re.fullmatch("[A-Z][A-Z0-9_]{0,9}", tag)] == []
    assert len(set(tags)) == len(tags)


def test_who_has_no_name_is_greeted_all_the_same():
    campaign = welcome(SETTINGS)
    nobody = tools.Values(dict.fromkeys(FIELDS, ""))
    message = render.message(SETTINGS, campaign, campaign.steps[2], "id", nobody)
    assert "Hai Kak," in message.text
    assert "Yang paling disukai pelanggan kami" in message.text


def test_a_name_that_is_html_stays_a_name():
    campaign = welcome(SETTINGS)
    message = render.message(
        SETTINGS,
        campaign,
        campaign.steps[0],
        "id",
        tools.Values({"greeting_name": "<b>&'"} | dict.fromkeys(set(FIELDS) - {"greeting_name"}, "")),
    )
    assert "Hai &lt;b&gt;&amp;&#39;, selamat datang!" in message.html
    assert "Hai <b>&', selamat datang!" in message.text
    assert message.subject == "Selamat datang, <b>&'"


def test_templates_reach_nothing_but_words(company):
    change(company, "welcome/hello.id.mjml", "Senang sekali", "{{ ''.__class__.__mro__ }}")
    with pytest.raises(render.RenderError, match="unsafe"):
        render.message(company, welcome(company), welcome(company).steps[0], "id")


def test_all_are_written_out_twice_the_same(company, capsys):
    pages = command.write(company, "mailchimp")
    assert len(pages) == 16
    assert pages[0].relative_to(company.home).as_posix() == "campaigns/mailchimp/birthday/1_wishes.id.html"
    before = {path: path.read_bytes() for page in pages for path in (page, page.with_suffix(".txt"))}
    assert len(before) == 32
    command.write(company, "mailchimp")
    assert {path: path.read_bytes() for path in before} == before
    assert pages[0].with_suffix(".txt").read_text().startswith("Subject: Selamat ulang tahun, *|IF:GREETING|*")


# --- on a small screen ---------------------------------------------------------------------------


def test_a_small_screen(company):
    """One start of Chromium: the real campaigns are good, and each thing that is not is found."""
    chromium = mobile.browser()
    if chromium is None:
        pytest.skip("Chromium is not installed (Debian's package `chromium`)")
    folder = campaigns.folder_of(company)
    shutil.copytree(folder / "welcome", folder / "broken")
    wide = '<mj-table font-size="16px"><tr><td><div style="width:600px">x</div></td></tr></mj-table><mj-button'
    change(company, "broken/hello.id.mjml", "<mj-button", wide)
    change(company, "broken/hello.en.mjml", "<mj-text>", '<mj-text font-size="11px">')
    change(company, "broken/how_it_works.id.mjml", 'mj-class="call"', 'mj-class="call" inner-padding="2px"')
    change(company, "broken/how_it_works.en.mjml", "<mj-text>Hi", '<mj-text><b style="white-space:nowrap">Hi')
    change(company, "broken/how_it_works.en.mjml", '("there") }},', '("there") }},</b>')
    found = [re.sub(r"\d+(?= pixels wide)", "N", str(finding)) for finding in mobile.check(company, chromium)]
    too_wide = "is N pixels wide on a screen of 375{}; let nothing have a fixed width beyond that."
    assert found == [
        f"broken, step 1 (id): {too_wide.format('')}",
        "broken, step 1 (en): has text of 11 pixels on a small screen; use 14 or more.",
        "broken, step 2 (id): has a button 23 pixels high, hard to touch; make it 44 or more.",
        f"broken, step 2 (en): {too_wide.format(' where a name is long')}",
    ]


# --- in the plan of a day ------------------------------------------------------------------------


@pytest.fixture
def planned(company, monkeypatch):
    """Makes the plan of a day on which two audiences have members, and judges it."""
    home = company.home / "published" / "versions" / "v"
    home.mkdir(parents=True)
    (company.home / "published" / "private.duckdb").symlink_to("versions/v/private.duckdb")
    with duckdb.connect(str(home / "private.duckdb")) as con:
        con.execute("create schema customer")
        con.execute(
            "create table customer.customer_contactability as "
            "select unnest(['a', 'b']) as customer_id, 'email' as channel, true as is_contactable, null::text as reason"
        )
        con.execute(
            "create table listed as select unnest(['welcome', 'winback']) as audience, unnest(['a', 'b']) as "
            "customer_id, 'email' as channel, unnest(['a@x.example', 'b@x.example']) as email, null::text as phone, "
            "'k' as entry_key, 1 as step, true as is_due"
        )
        con.execute(
            "create schema audiences; create table audiences.audience_due as select audience, customer_id, entry_key, "
            "step, channel, 'hello' as template, 'member' as test_group, date '2026-01-01' as as_of_date from listed"
        )
        con.execute("create table customer.customer_pressure (customer_id text, channel text, messages_in_window int)")
        con.execute("create schema core; create table core.fct_sends as from audiences.audience_due limit 0")
        con.execute("create table core.dim_customers as select distinct customer_id, email, phone from listed")
        con.execute("create table core.customer_id_aliases (customer_id_before text, customer_id text)")
    version = SimpleNamespace(
        as_of_date=DAY.isoformat(), version="v", code_version="abc", stale_sources=[], landing={}, rules="r"
    )
    company = company.model_copy(update={"sources": {}})
    monkeypatch.setattr(plan.publish, "current", lambda _: version)
    monkeypatch.setattr(plan, "MEMBERS", "select * from published.listed")

    def make() -> tuple[dict, SimpleNamespace]:
        folder = plan.make(company, DAY)
        [result] = outbound.check(company, folder)
        return plan.read(folder), result

    return make


def test_an_audience_whose_campaign_fails_is_left_out_and_the_others_go_on(company, planned):
    good, result = planned()
    assert (set(good["audiences"]), good["left_out"], result.verdict) == ({"welcome", "winback"}, {}, "pass")
    change(company, "welcome/hello.id.mjml", "{{ links.shop }}", "http://evil.example/")
    broken, result = planned()
    said = "welcome, step 1 (id): the link 'http://evil.example/' is not https; write the whole address, with https://."
    assert (set(broken["audiences"]), broken["left_out"]) == ({"winback"}, {"welcome": [said]})
    assert result.verdict == "warn"
    assert [(check.name, check.description, check.observed) for check in result.checks if not check.success] == [
        ("campaign", "The campaign of welcome is fit to be sent", {"found": said})
    ]
    assert said in (company.home / "gates" / "outbound" / DAY.isoformat() / f"{result.name}.json").read_text()
