"""Files put to a claim: what is taken by what it holds, how much of it is ever read, and who may see it."""

import hashlib
import io
import zipfile

import pytest
from sqlalchemy import func, inspect, select

import db
from claims import documents, file_types, queries
from claims.access import system_actor
from errors import InvalidInput, NotAllowed, NotFound
from models import Document, DocumentKind
from tests.factories import NOW, Cast, make_cast, make_claim, make_discrepancy

PDF = b"%PDF-1.7\n1 0 obj\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
MAIL = b"From: a@b.example\r\nSubject: The invoice\r\n\r\nHere it is.\r\n"


def _zip(*members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member in members:
            archive.writestr(member, "x")
    return file.getvalue()


XLSX = _zip("[Content_Types].xml", "xl/workbook.xml")
DOCX = _zip("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    ("content", "name", "kept_as", "content_type"),
    [
        (PDF, "Invoice 7.PDF", "Invoice 7.PDF", "application/pdf"),
        (b"\xef\xbb\xbf  " + PDF, "scan.pdf", "scan.pdf", "application/pdf"),
        (PNG, "photo.png", "photo.png", "image/png"),
        (JPEG, "photo.jpeg", "photo.jpeg", "image/jpeg"),
        (b"delivered\r\n", "note.txt", "note.txt", "text/plain"),
        ("geliefert: ä".encode("cp1252"), "note.txt", "note.txt", "text/plain"),
        ("geliefert".encode("utf-16"), "note.txt", "note.txt", "text/plain"),
        (b"sku,units\nA,3\n", "boxes.csv", "boxes.csv", "text/csv"),
        (MAIL, "carrier.eml", "carrier.eml", "message/rfc822"),
        (XLSX, "boxes.xlsx", "boxes.xlsx", file_types.XLSX.content_type),
        (DOCX, "letter.docx", "letter.docx", file_types.DOCX.content_type),
        # what it holds counts, and its name follows
        (PNG, "photo.jpg", "photo.png", "image/png"),
        (b"plain words", "setup.exe", "setup.exe.txt", "text/plain"),
        (b"no mail at all", "carrier.eml", "carrier.txt", "text/plain"),
        (PDF, "invoice", "invoice.pdf", "application/pdf"),
        (PDF, "", "document.pdf", "application/pdf"),
        (PDF, None, "document.pdf", "application/pdf"),
        (PDF, "../../etc/passwd", "passwd.pdf", "application/pdf"),
        (PDF, r"C:\Users\me\in\voice.pdf", "voice.pdf", "application/pdf"),
        (PDF, "in\x00vo\r\nice\u202efdp.pdf", "in vo icefdp.pdf", "application/pdf"),
        (PDF, '"><b>.pdf', "b.pdf", "application/pdf"),
        (PDF, "Facture é 7.pdf", "Facture é 7.pdf", "application/pdf"),
        (PDF, "x" * 400 + ".pdf", "x" * 150 + ".pdf", "application/pdf"),
    ],
)
def test_a_file_is_what_it_holds(content: bytes, name: str | None, kept_as: str, content_type: str) -> None:
    upload = documents.read(io.BytesIO(content), name)
    assert (upload.name, upload.content_type, upload.content) == (kept_as, content_type, content)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"MZ\x90\x00\x03", "invoice.pdf"),
        (b"\x7fELF\x02", "notes.txt"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "notes.txt"),
        (b"\xef\xbb\xbf \n<svg onload=alert(1)>", "photo.png"),
        (b'<?xml version="1.0"?><svg/>', "photo.txt"),
        (b"GIF89a\x01\x00", "photo.png"),
        (_zip("virus.exe"), "invoice.xlsx"),
        (_zip("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"), "boxes.xlsx"),
        (b"PK\x03\x04 and nothing more", "boxes.xlsx"),
        (XLSX[:-10], "boxes.xlsx"),
        (b"\x00\x00\x00\x18ftypheic", "photo.jpg"),
    ],
)
def test_what_is_none_of_these_is_refused_whatever_it_is_called(content: bytes, name: str) -> None:
    with pytest.raises(InvalidInput, match="of a kind that is not taken") as refused:
        documents.read(io.BytesIO(content), name)
    assert refused.value.field == "file"
    assert name in str(refused.value)
    assert "PDF, PNG, JPEG" in refused.value.todo


def test_a_list_of_members_as_large_as_a_bomb_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    end = b"PK\x05\x06" + b"\x00" * 8 + (2**30).to_bytes(4, "little") + b"\x00" * 6
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was opened"))
    assert file_types.type_of(b"PK\x03\x04" + b"\x00" * 100 + end, "boxes.xlsx") is None


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(InvalidInput, match="The file is empty"):
        documents.read(io.BytesIO(), "invoice.pdf")


class _Endless:
    """A sender that never stops, and counts what is taken from it."""

    given = 0

    def read(self, size: int, /) -> bytes:
        self.given += size
        return b"x" * size


def test_no_more_is_read_than_the_largest_file_that_is_taken() -> None:
    source = _Endless()
    with pytest.raises(InvalidInput, match="larger than 20 MB"):
        documents.read(source, "huge.txt")
    assert source.given <= documents.LARGEST + 64 * 1024


def test_the_largest_file_is_taken() -> None:
    upload = documents.read(io.BytesIO(PDF.ljust(documents.LARGEST, b" ")), "big.pdf")
    assert len(upload.content) == documents.LARGEST


@pytest.mark.parametrize(
    ("size", "said"),
    [(12, "12 bytes"), (1500, "1 kB"), (340_400, "332 kB"), (1024**2 - 1, "1023 kB"), (1024**2, "1.0 MB"),
     (documents.LARGEST, "20.0 MB")],
)  # fmt: skip
def test_sizes_are_read_as_people_do(size: int, said: str) -> None:
    assert documents.size_in_words(size) == said


@pytest.fixture
def cast(database: str) -> Cast:
    return make_cast()


def _claim(cast: Cast) -> int:
    with db.transaction() as session:
        found = make_discrepancy(session, cast.account_id)
        return make_claim(session, found, approved_by_id=cast.ann.user_id).id


def _put(cast: Cast, claim_id: int, content: bytes = PDF, name: str = "invoice.pdf") -> int:
    upload = documents.read(io.BytesIO(content), name)
    with db.transaction() as session:
        row = documents.add_to_claim(session, claim_id, upload, kind=DocumentKind.INVOICE, actor=cast.ann, now=NOW)
        return row.id


def test_a_file_stands_with_its_claim_and_in_its_history(cast: Cast) -> None:
    claim_id = _claim(cast)
    document_id = _put(cast, claim_id)
    with db.reading() as session:
        claim = queries.load_claim(session, claim_id, cast.bea)
        (document,) = claim.documents
        assert "content" in inspect(document).unloaded  # a page shows names, not megabytes
        assert (document.name, document.size, document.uploaded_by_name) == ("invoice.pdf", len(PDF), "Ann")
        assert document.sha256 == hashlib.sha256(PDF).hexdigest()
        assert claim.history[-1].action == "document_added"
        assert claim.history[-1].note == "invoice.pdf, 17 bytes"
        assert documents.load(session, document_id, cast.carl).content == PDF


def test_the_same_file_twice_is_kept_once(cast: Cast) -> None:
    claim_id, other = _claim(cast), _claim(cast)
    assert _put(cast, claim_id) == _put(cast, claim_id, name="again.pdf")
    assert _put(cast, claim_id) != _put(cast, other)
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Document)) == 2
        assert len(queries.load_claim(session, claim_id, cast.ann).history) == 1


def test_who_may_not_see_the_client_finds_no_document(cast: Cast) -> None:
    claim_id = _claim(cast)
    document_id = _put(cast, claim_id)
    with db.transaction() as session:
        foreign = documents.store(
            session,
            documents.read(io.BytesIO(PNG), "photo.png"),
            kind=DocumentKind.OTHER,
            client_id=cast.other_client_id,
            actor=cast.ann,
            now=NOW,
        ).id
    with db.reading() as session:
        for document, claim, actor in (
            (foreign, None, cast.carl),
            (document_id, claim_id + 1, cast.ann),
            (99, None, cast.ann),
        ):
            with pytest.raises(NotFound, match="There is no document"):
                documents.load(session, document, actor, claim_id=claim)
        assert documents.load(session, document_id, cast.ann, claim_id=claim_id).name == "invoice.pdf"


def test_only_who_works_on_claims_puts_a_file_to_one(cast: Cast) -> None:
    claim_id = _claim(cast)
    upload = documents.read(io.BytesIO(PDF), "invoice.pdf")
    for nobody in (cast.carl, cast.bill, system_actor()):
        with db.transaction() as session, pytest.raises(NotAllowed):
            documents.add_to_claim(session, claim_id, upload, kind=DocumentKind.OTHER, actor=nobody, now=NOW)
    with db.transaction() as session, pytest.raises(NotFound):
        documents.store(
            session, upload, kind=DocumentKind.OTHER, client_id=cast.other_client_id, actor=cast.carl, now=NOW
        )
