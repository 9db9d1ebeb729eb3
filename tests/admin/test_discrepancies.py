import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal

import pytest

import db
from claims import review
from models import Approval, Caveat, Claim, ClaimStatus, Client, Discrepancy, DiscrepancyStatus, RejectReason
from tests.admin.conftest import Office, Person, plain, read
from tests.factories import NOW, TODAY, make_account, make_client

LIST = "/admin/discrepancies/"


def title(person: Person, path: str) -> str:
    return plain(re.search(r"<h1.*?</h1>", person.get(path).text, re.DOTALL)[0])


def listed(person: Person, path: str) -> list[int]:
    """Return the ids of the rows in their order."""
    return [
        int(found)
        for found in re.findall(r'class="row-title" href="/admin/discrepancies/(\d+)/"', person.get(path).text)
    ]


@pytest.fixture
def ann(office: Office) -> Person:
    return office.signed_in(office.cast.ann)


class TestList:
    def test_it_shows_what_is_to_decide_and_other_states_when_asked(self, office, ann):
        undecided, lapsed = office.put(), office.put(status=DiscrepancyStatus.LAPSED)
        assert listed(ann, LIST) == [undecided]
        assert listed(ann, f"{LIST}?flt_status=lapsed") == [lapsed]
        assert set(listed(ann, f"{LIST}?flt_status=all")) == {undecided, lapsed}

    def test_its_title_is_a_fact(self, office, ann):
        assert title(ann, LIST) == "No discrepancies to decide"
        office.put()
        assert title(ann, LIST) == "1 discrepancy to decide"
        office.put()
        assert title(ann, LIST) == "2 discrepancies to decide"
        assert title(ann, f"{LIST}?flt_status=rejected") == "No discrepancies rejected"

    def test_the_nearest_last_day_comes_first_and_then_the_largest_value(self, office, ann):
        later = office.put(closes_on=TODAY + timedelta(days=9))
        small = office.put(closes_on=TODAY + timedelta(days=2), value=Decimal("1.00"))
        unknown = office.put(closes_on=TODAY + timedelta(days=2), value=None, currency=None)
        large = office.put(closes_on=TODAY + timedelta(days=2), value=Decimal("99.00"))
        assert listed(ann, LIST) == [large, small, unknown, later]

    def test_a_head_sorts_and_turns_round_when_pressed_again(self, office, ann):
        many, few = office.put(quantity=9), office.put(quantity=1)
        up = re.search(r'<a href="([^"]+)">Units', ann.get(LIST).text)[1].replace("&amp;", "&")
        assert listed(ann, up) == [few, many]
        page = ann.get(up).text
        assert 'aria-sort="ascending"' in page
        down = re.search(r'<a href="([^"]+)">Units', page)[1].replace("&amp;", "&")
        assert listed(ann, down) == [many, few]

    @pytest.mark.parametrize(
        ("search", "is_found"),
        [
            ("x00aa", True),
            ("MUG-7", True),
            ("B00MUG", True),
            ("FBA15Z", True),
            ("enamel", True),
            ("X%", False),
            ("_", False),
        ],
    )
    def test_a_search_finds_products_references_and_titles_as_they_are_written(self, office, ann, search, is_found):
        mug = office.put(fnsku="X00AA1", msku="MUG-7", asin="B00MUG0001", reference_id="FBA15Z", title="Enamel mug")
        office.put(fnsku="X00BB2")
        assert (listed(ann, f"{LIST}?search={search.replace('%', '%25')}") == [mug]) is is_found

    def test_filters_narrow_the_list_and_stand_above_it_as_chips(self, office, ann):
        with db.transaction() as session:
            other = make_account(session, make_client(session, name="Zed"))
        mine = office.put(claim_type="inbound_lost", closes_on=TODAY + timedelta(days=2))
        theirs = office.put(account_id=other.id, caveats=["partial_coverage"])
        client = f"flt_client={other.client_id}"
        assert listed(ann, f"{LIST}?{client}") == [theirs]
        assert "Client: Zed" in ann.text(f"{LIST}?{client}")
        assert listed(ann, f"{LIST}?flt_account={other.id}") == [theirs]
        assert listed(ann, f"{LIST}?flt_type=inbound_lost") == [mine]
        assert listed(ann, f"{LIST}?flt_within=4") == [mine]
        assert listed(ann, f"{LIST}?flt_caveats=check") == [theirs]
        assert listed(ann, f"{LIST}?flt_caveats=ready") == [mine]
        assert listed(ann, f"{LIST}?{client}&flt_caveats=ready") == []
        assert "No discrepancy fits these filters" in ann.text(f"{LIST}?{client}&flt_caveats=ready")

    def test_an_address_that_makes_no_sense_shows_a_list_all_the_same(self, office_on_each_database):
        office_on_each_database.put()
        person = office_on_each_database.signed_in(office_on_each_database.cast.ann)
        for query in (
            "flt_status=nonsense",
            "flt_client=1 OR 1",
            "flt_client=99999999999999999999",
            "flt_client=%C2%B2",
            "flt_type=%00",
            "flt_within=-5",
            "sort=99&desc=x",
            "page=-3",
            "page=99999999999999999999999",
            "page=zzz&page_size=100000",
            "search=" + "x" * 5000,
            "search=%00",
            "search=%FF",
            "flt_status=all&flt_status=open&flt0_status=lapsed",
        ):
            assert person.get(f"{LIST}?{query}").status_code == 200, query

    def test_values_that_are_not_known_are_called_so(self, office, ann):
        office.put(value=None, unit_value=None, currency=None, value_basis="unknown")
        shown = ann.text(LIST)
        assert "not known" in shown
        assert "0.00" not in shown

    def test_days_are_those_of_the_marketplace(self, office, ann, set_clock):
        office.put(closes_on=date(2026, 11, 23))
        set_clock(NOW.replace(hour=7))  # the evening before, in Los Angeles
        assert "tomorrow" in ann.text(LIST)
        set_clock(NOW.replace(hour=9))
        assert "today 23 Nov 2026" in ann.text(LIST)

    def test_pages_follow_each_other_without_a_gap(self, office, ann):
        ids = [office.put(closes_on=TODAY + timedelta(days=n)) for n in range(53)]
        first = ann.get(LIST).text
        assert "1–50 of 53" in plain(first)
        after = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
        assert listed(ann, LIST) + listed(ann, after) == ids
        assert 'rel="next"' not in ann.get(after).text

    def test_its_queries_are_few_and_do_not_grow_with_its_rows(self, office, ann):
        office.put(caveats=["partial_coverage"])
        with office.counted() as few:
            ann.get(LIST)
        for _ in range(60):
            office.put(caveats=["partial_coverage"])
        with office.counted() as many:
            ann.get(LIST)
        assert len(many) <= len(few) + 1 <= 6
        counts = [each for each in many if "count(" in each.lower()]
        assert all("LIMIT" in each for each in counts), "a big table is never counted to its end"

    def test_text_from_a_report_is_shown_as_text(self, office, ann):
        office.put(title="<script>alert(1)</script>", reference_id='"><img src=x>')
        for page in (LIST, f"{LIST}1/", f"{LIST}?search=<b>"):
            shown = ann.get(page).text
            assert "<script>alert" not in shown
            assert "<img src=x" not in shown
            assert "<b>”" not in shown


class TestExport:
    def export(self, person: Person, query: str = "") -> list[dict[str, str]]:
        answer = person.get(f"{LIST}export/csv/{query}")
        assert answer.mimetype == "text/csv"
        assert "attachment" in answer.headers["Content-Disposition"]
        return list(csv.DictReader(io.StringIO(answer.text)))

    def test_it_has_the_rows_of_the_list_with_plain_numbers(self, office, ann):
        wanted = office.put(value=Decimal("1234.50"), caveats=["partial_coverage"])
        office.put(status=DiscrepancyStatus.LAPSED)
        (row,) = self.export(ann)
        assert (row["id"], row["value"], row["currency"], row["closes_on"]) == (
            str(wanted),
            "1234.5",
            "USD",
            "2026-12-19",
        )
        assert (row["client"], row["caveats"], row["status"]) == ("Acme", "partial_coverage", "open")
        assert len(self.export(ann, "?flt_status=all")) == 2

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_no_cell_of_it_is_a_formula(self, office, ann, start):
        formula = f'{start}HYPERLINK("http://evil.example";"x")'
        office.put(title=formula, msku=formula, fnsku=formula, reference_id=formula)
        for cell in self.export(ann)[0].values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))

    def test_its_queries_do_not_grow_with_its_rows(self, office, ann):
        for _ in range(60):
            office.put()
        with office.counted() as sent:
            assert len(self.export(ann)) == 60
        assert len(sent) <= 5


class TestPage:
    def test_it_shows_what_was_lost_why_it_is_worth_that_and_the_reports_own_line(self, office, ann):
        wanted = office.put(policy_confirmed=False)
        office.evidence(
            wanted, line=1234, header="Date\tFNSKU\tReason", text="10/20/2026\tX001\tF", quantity=1, note="1 of 4"
        )
        shown = ann.text(f"{LIST}{wanted}/")
        for said in (
            "Lost in the warehouse: 3 units",
            "37.02 USD",
            "12.34 USD",
            "the unit cost in the seller's own file on the day of the loss",
            "19 Dec 2026",
            "in 26 days",
            "US rules from 23 Oct 2024, not confirmed by Amazon",
            "ledger.txt, line 1,234",
            "Found again",
            "1 of 4",
            "Found in the reports",
            "Acme",
        ):
            assert said in shown, said
        page = ann.get(f"{LIST}{wanted}/").text
        assert re.search(r'<th scope="row">Quantity</th>\s*<td><mark>-3</mark></td>', page)

    def test_the_history_has_the_newest_first(self, office, ann):
        wanted = office.put()
        ann.approve(wanted)
        shown = ann.text(f"{LIST}{wanted}/")
        history = shown[shown.index("History") :]
        assert history.index("Approved") < history.index("Found in the reports")
        assert "Ann in the back office" in history

    def test_its_queries_do_not_grow_with_its_evidence(self, office, ann):
        wanted = office.put()
        for line in range(40):
            office.evidence(wanted, line=line, position=line + 10)
        with office.counted() as sent:
            ann.get(f"{LIST}{wanted}/")
        assert len(sent) <= 9

    @pytest.mark.parametrize("path", ["77/", "2147483647/", "99999999999999999999/", "-1/", "x/"])
    def test_what_does_not_exist_is_told_in_words(self, ann, path):
        answer = ann.get(LIST + path)
        assert answer.status_code == 404
        assert "There is no" in read(answer)

    @pytest.mark.parametrize(
        ("status", "said"),
        [
            (DiscrepancyStatus.UPCOMING, "It can be decided from 4 Nov 2026 on"),
            (DiscrepancyStatus.LAPSED, "Its last day was 19 Dec 2026"),
            (DiscrepancyStatus.SETTLED, "Settled: paid by Amazon itself. There is nothing to claim."),
        ],
    )
    def test_what_cannot_be_decided_says_why_and_has_no_button(self, office, ann, status, said):
        wanted = office.put(
            status=status, status_reason="paid_by_amazon" if status is DiscrepancyStatus.SETTLED else None
        )
        page = ann.get(f"{LIST}{wanted}/")
        assert said in read(page)
        assert "/approve" not in page.text
        assert "/reject" not in page.text


class TestApprove:
    def test_the_button_says_the_amount_and_makes_a_claim(self, office, ann):
        wanted = office.put()
        assert "Approve 37.02 USD" in ann.text(f"{LIST}{wanted}/")
        assert ann.told(ann.approve(wanted)) == "Approved: 3 units, 37.02 USD. Claim 1 is to be filed."
        assert office.row(wanted).status is DiscrepancyStatus.APPROVED
        shown = ann.text(f"{LIST}{wanted}/")
        assert "By Ann, 23 Nov 2026, 09:14 UTC" in shown
        assert "Claim 1: to file" in shown

    def test_an_unknown_value_can_be_approved_and_is_never_called_zero(self, office, ann):
        wanted = office.put(value=None, unit_value=None, currency=None, value_basis="unknown")
        assert "Approve 3 units" in ann.text(f"{LIST}{wanted}/")
        assert "3 units, value not known" in ann.told(ann.approve(wanted))

    def test_the_second_presser_is_told_by_whom_and_when(self, office, ann):
        wanted = office.put()
        bea = office.signed_in(office.cast.bea)
        stale = bea.http.get(f"{LIST}{wanted}/")
        token = re.search(r'csrf_token" value="([^"]+)', stale.text)[1]
        ann.approve(wanted)
        answer = bea.http.post(f"{LIST}{wanted}/approve", data={"csrf_token": token, "seen": "3 37.02 USD"})
        assert "Already approved by Ann at 09:14 UTC." in bea.told(answer)

    def test_what_changed_since_the_page_was_opened_is_not_approved(self, office, ann):
        wanted = office.put()
        token = re.search(r'csrf_token" value="([^"]+)', ann.get(f"{LIST}{wanted}/").text)[1]
        with db.transaction() as session:
            row = session.get_one(Discrepancy, wanted)
            row.quantity, row.value = 2, Decimal("24.68")
        answer = ann.http.post(f"{LIST}{wanted}/approve", data={"csrf_token": token, "seen": "3 37.02 USD"})
        assert "Not approved: it changed since you opened the page, to 2 units, 24.68 USD." in ann.told(answer)
        assert office.row(wanted).status is DiscrepancyStatus.OPEN
        with db.reading() as session:
            assert session.get(Claim, 1) is None

    def test_a_caveat_stands_in_the_way_until_it_is_cleared_with_a_note(self, office, ann):
        wanted = office.put(caveats=["partial_coverage"])
        page = f"{LIST}{wanted}/"
        assert "Approve 37.02" not in ann.text(page)
        assert "1 thing to check first" in ann.text(page)
        assert "Check first: The newest reports are missing" in ann.told(ann.approve(wanted))

        refused = ann.press(page, f"{page}clear", code="partial_coverage", note="  ")
        assert refused.status_code == 422
        assert "Clearing a caveat needs a note" in read(refused)

        cleared = ann.press(page, f"{page}clear", code="partial_coverage", note="R of 22 Nov looked at by hand")
        assert "Checked: The newest reports are missing." in ann.told(cleared)
        with db.reading() as session:
            assert session.query(Caveat).one().note == "R of 22 Nov looked at by hand"
        assert "Cleared by Ann" in ann.text(page)
        assert "Claim 1 is to be filed" in ann.told(ann.approve(wanted))

    def test_the_next_one_to_decide_is_one_press_away(self, office, ann):
        first = office.put(closes_on=TODAY + timedelta(days=2))
        last = office.put(closes_on=TODAY + timedelta(days=9))
        between = office.put(closes_on=TODAY + timedelta(days=5))
        for here, there in ((first, between), (between, last), (last, first)):
            assert f'data-key="n" href="{LIST}{there}/"' in ann.get(f"{LIST}{here}/").text

    def test_the_next_one_and_the_way_back_stay_within_the_list_that_was_opened(self, office, ann):
        with db.transaction() as session:
            other = make_account(session, make_client(session, name="Zed"))
        mine, far = office.put(closes_on=TODAY + timedelta(days=2)), office.put(closes_on=TODAY + timedelta(days=9))
        office.put(closes_on=TODAY + timedelta(days=4), account_id=other.id)
        small = office.put(closes_on=TODAY + timedelta(days=2), value=Decimal("1.00"))
        unknown = office.put(closes_on=TODAY + timedelta(days=2), value=None, currency=None)
        ann.get(f"{LIST}?flt_client={office.cast.client_id}&search=mug")
        for here, there in ((mine, small), (small, unknown), (unknown, far), (far, mine)):
            page = ann.get(f"{LIST}{here}/").text
            assert f'data-key="n" href="{LIST}{there}/"' in page
            assert f'href="{LIST}?flt_client={office.cast.client_id}&amp;search=mug">← The list' in page


class TestReject:
    def test_a_reason_is_needed_and_what_was_entered_is_kept(self, office, ann):
        wanted = office.put()
        page = f"{LIST}{wanted}/"
        answer = ann.press(page, f"{page}reject", reason="", note="a long thought")
        assert answer.status_code == 422
        assert "Choose a reason." in read(answer)
        assert "a long thought</textarea>" in answer.text
        assert "<details open>" in answer.text

    def test_another_reason_needs_a_note_at_its_field(self, office, ann):
        wanted = office.put()
        page = f"{LIST}{wanted}/"
        answer = ann.press(page, f"{page}reject", reason="other", note="")
        assert answer.status_code == 422
        assert "Another reason needs a note." in read(answer)
        assert '<option value="other" selected>' in answer.text

    def test_it_is_rejected_with_reason_and_note(self, office, ann):
        wanted = office.put()
        page = f"{LIST}{wanted}/"
        answer = ann.press(page, f"{page}reject", reason="too_small", note="not worth a case")
        assert "Rejected: too small to pursue." in ann.told(answer)
        shown = ann.text(page)
        assert "Too small to pursue. By Ann" in shown
        assert "not worth a case" in shown


class TestUndo:
    @pytest.mark.parametrize("decision", ["approve", "reject"])
    def test_a_decision_can_be_taken_back_for_ten_minutes(self, office, ann, decision):
        wanted = office.put()
        page = f"{LIST}{wanted}/"
        with db.transaction() as session:
            decide = review.approve if decision == "approve" else review.reject
            more = {} if decision == "approve" else {"reason": RejectReason.FOUND}
            decide(session, wanted, actor=office.cast.ann, now=NOW, **more)
        assert "Until 09:24 UTC." in ann.text(page)
        assert "Undone. It is to be decided again." in ann.told(ann.press(page, f"{page}undo"))
        assert office.row(wanted).status is DiscrepancyStatus.OPEN

    def test_after_ten_minutes_the_button_is_gone_and_a_late_press_is_told_so(self, office, ann, set_clock):
        wanted = office.put()
        page = f"{LIST}{wanted}/"
        ann.approve(wanted)
        set_clock(NOW + timedelta(minutes=11))
        assert "/undo" not in ann.get(page).text
        assert "Too late to undo" in ann.told(ann.press(page, f"{page}undo"))
        with db.reading() as session:
            assert session.get_one(Claim, 1).status is ClaimStatus.TO_SUBMIT


def test_a_client_who_wants_to_wait_is_named_with_the_day_on_which_it_is_shown(office, ann):
    with db.transaction() as session:
        session.get_one(Client, office.cast.client_id).wait_days = 30
    wanted = office.put(status=DiscrepancyStatus.UPCOMING)
    shown = ann.text(f"{LIST}{wanted}/")
    assert "It can be decided from 4 Dec 2026 on (in 11 days)" in shown
    assert "Amazon takes the claim from 4 Nov 2026 on; Acme wants to wait." in shown


def wants(office, approval):
    with db.transaction() as session:
        session.get_one(Client, office.cast.client_id).approval = approval


def test_with_both_sides_the_page_waits_for_the_client_and_can_be_undone(office):
    wants(office, Approval.BOTH)
    wanted = office.put()
    ann, path = office.signed_in(office.cast.ann), f"/admin/discrepancies/{wanted}/"
    assert "The claim is made when the client has approved too." in ann.text(path)
    assert "It waits for the client's approval now." in ann.told(ann.approve(wanted))
    said = ann.text(path)
    assert "Approved by Ann, waiting for the client" in said
    assert "Until the client has approved." in said
    assert 'action="/admin/discrepancies/1/approve"' not in ann.get(path).text
    assert "Undone." in ann.told(ann.press(path, f"{path}undo"))
    with db.transaction() as session:
        review.approve(session, wanted, actor=office.cast.carl, now=NOW)
    assert "Approved by Carl of the client" in ann.text(path)
    assert "Claim 1 is to be filed." in ann.told(ann.approve(wanted))


def test_what_the_client_alone_approves_can_only_be_rejected_here(office):
    wants(office, Approval.CLIENT)
    wanted = office.put()
    ann, path = office.signed_in(office.cast.ann), f"/admin/discrepancies/{wanted}/"
    assert "Acme approves for itself: it waits for them in their portal." in ann.text(path)
    assert "Acme approves for itself." in ann.told(ann.press(path, f"{path}approve", seen="3 37.02 USD"))
    assert "Rejected" in ann.told(ann.press(path, f"{path}reject", reason="found"))


def test_what_is_below_the_clients_least_value_can_be_set_apart(office, ann):
    with db.transaction() as session:
        session.get_one(Client, office.cast.client_id).min_value = Decimal("37.03")
    small = office.put()
    unknown = office.put(value=None, currency=None)
    foreign = office.put(currency="GBP")
    enough = office.put(value=Decimal("37.03"))
    of_another = office.put(account_id=office.cast.other_account_id)  # who wants to see every value
    assert listed(ann, f"{LIST}?flt_least=below") == [small]
    assert sorted(listed(ann, f"{LIST}?flt_least=reached")) == [unknown, foreign, enough, of_another]
    assert "Below the client's least value" in ann.text(f"{LIST}?flt_least=below")
