"""`aggregate`: the consensus engine alone on a table of votes, without a site."""

import csv
import io
import os
import random
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagger.consensus import aggregation
from tagger.consensus.tables import blocks, columns, output, votes
from tagger.consensus.tables.blocks import BadTable
from tagger.consensus.tables.columns import Field
from tests.support.mutants import mutant

ROOT = Path(__file__).resolve().parents[2]

HEADER = "task,worker,label\n"
CROWD = HEADER + "".join(
    f"{task},{worker},{label}\n"
    for task, labels in {"t2": "yyyn", "t1": "nnny", "t9": "yyyy", "t3": "nnnn"}.items()
    for worker, label in zip(["dora", "bea", "carl", "eli"], labels, strict=True)
)
FIELDS = [Field("task"), Field("worker"), Field("label")]


@pytest.fixture
def aggregate(tmp_path):
    """Runs the command on a table and returns the rows of its output."""

    def run(table, kind="label", **options):
        source = tmp_path / "votes.csv"
        source.write_bytes(table if isinstance(table, bytes) else table.encode())
        return run_on(source, tmp_path / "out.csv", kind, **options)

    return run


def run_on(source, output, kind="label", **options):
    call_command("aggregate", source, kind=kind, output=output, stdout=io.StringIO(), **options)
    return rows_of(output)


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def answers_of(rows):
    return {row["task"]: (row.get("label", row.get("text")), row["confidence"], row["n"]) for row in rows}


def shuffled(table, seed):
    header, *rows = table.splitlines(keepends=True)
    random.Random(seed).shuffle(rows)
    return header + "".join(rows)


def test_each_task_has_one_row_in_order_of_first_appearance(aggregate):
    rows = aggregate(CROWD)
    assert [row["task"] for row in rows] == ["t2", "t1", "t9", "t3"]
    assert list(rows[0]) == ["task", "label", "confidence", "n"]


def test_the_label_is_that_of_most_voters_and_n_their_number(aggregate):
    found = {row["task"]: (row["label"], row["n"]) for row in aggregate(CROWD)}
    assert found == {"t2": ("y", "4"), "t1": ("n", "4"), "t9": ("y", "4"), "t3": ("n", "4")}


def test_columns_may_come_in_any_order_among_others(aggregate):
    plain = answers_of(aggregate(CROWD))
    rows = [line.split(",") for line in CROWD.split()]
    moved = "".join(f"{label},more,{worker},,{task}\n" for task, worker, label in rows)
    assert answers_of(aggregate(moved)) == plain


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_changes_the_order_of_tasks_and_nothing_else(aggregate, seed):
    assert answers_of(aggregate(shuffled(CROWD, seed))) == answers_of(aggregate(CROWD))


def test_repeated_rows_change_nothing(aggregate):
    repeated = CROWD + "".join(CROWD.splitlines(keepends=True)[1:9])
    assert aggregate(repeated) == aggregate(CROWD)


def test_the_same_input_gives_the_same_bytes(aggregate, tmp_path):
    aggregate(CROWD)
    before = (tmp_path / "out.csv").read_bytes()
    aggregate(CROWD)
    assert (tmp_path / "out.csv").read_bytes() == before


@mutant(
    "aggregate warns of workers and labels that differ only by blanks or case",
    "tagger/management/commands/aggregate.py",
    kept_by="            if warning := _warning(what, names.lookalikes()):\n",
    broken="            if warning := None:\n",
)
def test_workers_and_labels_that_differ_by_blanks_or_case_are_warned_of(tmp_path):
    table = (
        HEADER + "t1,ann,yes\nt1, Ann,Yes\nt2,ANN\u00a0,no\nt2,bo\u0308b,no\nt1,b\u00f6b,yes \nt3,eve e,N O\n"
    )
    (tmp_path / "votes.csv").write_text(table)
    said = io.StringIO()
    call_command("aggregate", tmp_path / "votes.csv", kind="label", output=tmp_path / "out.csv", stdout=said)
    summary, workers, labels = said.getvalue().splitlines()
    assert "3 tasks from 6 votes by 6 workers" in summary
    assert workers.startswith(
        "Warning: 3 workers differ from others only by case or blanks, such as 'ann' and"
    )
    assert labels.startswith("Warning: 2 labels differ from others only by case or blanks, such as 'yes' and")
    assert len(rows_of(tmp_path / "out.csv")) == 3


def test_names_that_differ_in_other_ways_and_transcripts_are_not_warned_of(tmp_path):
    for kind, table in (("label", CROWD), ("transcript", "task,worker,text\nt1,ann,Yes\nt1,bob,yes\n")):
        (tmp_path / "votes.csv").write_text(table)
        said = io.StringIO()
        call_command("aggregate", tmp_path / "votes.csv", kind=kind, output=tmp_path / "out.csv", stdout=said)
        assert "Warning" not in said.getvalue()


def test_a_warning_changes_no_result(aggregate):
    spaced = CROWD.replace("dora,y", "dora,y ").replace("eli,", " eli,")
    plain = {row["task"]: row["n"] for row in aggregate(CROWD)}
    assert {row["task"]: row["n"] for row in aggregate(spaced)} == plain


def test_a_worker_who_answers_a_task_twice_counts_once(aggregate):
    rows = answers_of(aggregate(CROWD + "t9,dora,n\n"))
    assert rows["t9"][2] == "4"


def test_a_tie_goes_to_the_first_label_by_code_points_with_an_honest_confidence(aggregate):
    tie = HEADER + "t1,ann,b\nt1,bob,a\n"
    assert answers_of(aggregate(tie)) == {"t1": ("a", "0.500000", "2")}
    assert answers_of(aggregate(shuffled(tie, 1))) == {"t1": ("a", "0.500000", "2")}


def test_the_answers_of_a_crowd_of_one_are_kept(aggregate):
    rows = answers_of(aggregate(HEADER + "t1,ann,yes\nt2,ann,no\nt3,ann,yes\nt4,ann,no\n"))
    assert [rows[task][0] for task in ("t1", "t2", "t3", "t4")] == ["yes", "no", "yes", "no"]


def test_a_single_vote_and_a_class_with_one_vote_are_accepted(aggregate):
    assert answers_of(aggregate(HEADER + "t1,ann,yes\n")) == {"t1": ("yes", "1.000000", "1")}
    assert answers_of(aggregate(CROWD + "t5,dora,maybe\n"))["t9"][0] == "y"


@pytest.mark.parametrize("label", ["nan", "NaN", "NULL", "None", "N/A", "-1", "é", "a,b", 'say "a"', "a\nb"])
def test_a_label_is_text_like_any_other(aggregate, label):
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerows([["task", "worker", "label"], ["t1", "ann", label], ["t1", "bob", label]])
    assert [row["label"] for row in aggregate(table.getvalue())] == [label]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_every_kind_of_line_end_is_read(aggregate, end, mark):
    assert answers_of(aggregate(mark + CROWD.replace("\n", end))) == answers_of(aggregate(CROWD))


def test_empty_lines_are_skipped(aggregate):
    assert aggregate("\n" + CROWD.replace("\n", "\n\n")) == aggregate(CROWD)


def test_the_last_line_needs_no_line_end(aggregate):
    assert aggregate(CROWD.rstrip()) == aggregate(CROWD)


def test_a_careful_worker_is_more_reliable_than_a_careless_one(aggregate, tmp_path):
    tasks = "".join(
        f"t{n},{worker},{label}\n"
        for n in range(30)
        for worker, label in [("w2", n % 2), ("w1", n % 2), ("w3", n % 2), ("careless", n % 3 % 2)]
    )
    aggregate(HEADER + tasks, reliability=tmp_path / "r.csv")
    rows = rows_of(tmp_path / "r.csv")
    assert [(row["worker"], row["n"]) for row in rows] == [(w, "30") for w in ("w2", "w1", "w3", "careless")]
    reliability = {row["worker"]: float(row["reliability"]) for row in rows}
    assert 0 <= reliability["careless"] < min(reliability[w] for w in ("w1", "w2", "w3")) <= 1


TEXTS = "task,worker,text\nt2,ann,Hello world!\nt2,bob,hello world\nt2,cy,hello word\n"


def test_transcripts_are_aggregated_to_a_text(aggregate, tmp_path):
    rows = aggregate(TEXTS, "transcript", reliability=tmp_path / "r.csv")
    assert [(row["task"], row["text"], row["n"]) for row in rows] == [("t2", "hello world", "3")]
    assert [row["worker"] for row in rows_of(tmp_path / "r.csv")] == ["ann", "bob", "cy"]


SPOKEN = "task,worker,text\n" + "".join(
    f"t,{worker},{text}\n"
    for worker, text in {"ana": "no sé qué es", "luz": "no sé que es", "eva": "no sé qué es"}.items()
)


@pytest.mark.parametrize(
    ("language", "said"),
    [(None, "seem to be in the language es"), ("es", ""), ("und", "")],
)
def test_the_language_of_texts_is_given_or_guessed_and_said(tmp_path, monkeypatch, language, said):
    source, printed, learned = tmp_path / "votes.csv", io.StringIO(), []
    source.write_text(SPOKEN, "utf-8")
    fit = aggregation.transcripts.fit
    monkeypatch.setattr(
        aggregation.transcripts, "fit", lambda *args, **kw: learned.append(fit(*args, **kw)) or learned[-1]
    )
    output = tmp_path / "out.csv"
    call_command("aggregate", source, kind="transcript", output=output, language=language, stdout=printed)
    assert learned[0].crowd.language == (language or "es")
    assert said in printed.getvalue() and len(printed.getvalue().splitlines()) == (2 if said else 1)
    assert [row["text"] for row in rows_of(output)] == ["no sé qué es"]


@pytest.mark.parametrize(
    ("kind", "language", "reason"),
    [("label", "es", "--language is for transcripts"), ("transcript", "Spanish", "Spanish: not a code")],
)
def test_a_language_that_cannot_be_meant_is_refused(tmp_path, kind, language, reason):
    source, output = tmp_path / "votes.csv", tmp_path / "out.csv"
    source.write_text(SPOKEN, "utf-8")
    with pytest.raises(CommandError, match=reason):
        run_on(source, output, kind, language=language)
    assert not output.exists()


def test_an_empty_text_is_a_transcript(aggregate):
    rows = aggregate(TEXTS + "t1,ann,\nt1,bob,\nt1,cy,\n", "transcript")
    assert [(row["task"], row["text"]) for row in rows] == [("t2", "hello world"), ("t1", "")]


def test_the_order_of_rows_does_not_change_a_text(aggregate):
    more = TEXTS + "t1,cy,a word or too\nt1,bob,a word or two\nt1,ann,a world of two\n"
    assert answers_of(aggregate(shuffled(more, 2), "transcript")) == answers_of(aggregate(more, "transcript"))


FAULTS = {
    "missing column": (b"task,label\nt1,yes\n", "line 1: no column worker (found: task, label)"),
    "column twice": (b"task,worker,task,label\n1,2,3,4\n", "line 1: repeated column task"),
    "empty worker": (b"task,worker,label\nt1,ann,yes\nt1,,no\n", "line 3: the worker is empty"),
    "empty task": (b'task,worker,label\nt1,"a\nnn",yes\n,bob,no\n', "line 4: the task is empty"),
    "blank task": (b"task,worker,label\n  ,bob,no\n", "line 2: the task is empty"),
    "empty label": (b"task,worker,label\n\nt1,bob,\n", "line 3: the label is empty"),
    "quoted empty label": (b'task,worker,label\nt1,bob,""\n', "line 2: the label is empty"),
    "too few fields": (b"task,worker,label\nt1,ann,yes\nt1,bob\n", "line 3: 2 fields, but the header has 3"),
    "too many fields": (b"task,worker,label\r\nt1,ann,yes,no\r\n", "line 2: 4 fields, but the header has 3"),
    "unclosed quote": (
        b'task,worker,label\nt1,"ann,yes\nt1,bob,no\n',
        "line 2: the quote that opens here is never",
    ),
    "unclosed quote before another": (
        b'task,worker,label\nt1,"ann,yes\nt1,"bob",no\n',
        "line 2: the quote that opens here is not closed",
    ),
    "unclosed quote that is the last": (b'task,worker,label\nt1,ann,yes\nt1,bob,"', "line 3: the quote"),
    "quote inside": (b'task,worker,label\nt1,ann,5" nail\n', "line 2: a quote inside a value"),
    "not UTF-8": (b"task,worker,label\nt1,ann,yes\nt1,bob,caf\xe9\n", "line 3: byte 11 of the line is 0xE9"),
    "UTF-16": ("task,worker,label\n".encode("utf-16"), "line 1: byte 1 of the line is 0xFF"),
    "empty file": (b"", "is empty: its first line must name the columns task,worker,label"),
    "empty lines alone": (b"\n\r\n", "is empty"),
    "header alone": (b"task,worker,label\n", "has no rows below its header"),
}


@pytest.mark.parametrize("table, reason", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_reported_in_one_line_and_nothing_is_written(aggregate, tmp_path, table, reason):
    with pytest.raises(CommandError) as caught:
        aggregate(table)
    assert f"{tmp_path / 'votes.csv'}" in str(caught.value) and reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["votes.csv"]


def test_an_existing_output_is_replaced_on_success_and_kept_on_failure(aggregate, tmp_path):
    (tmp_path / "out.csv").write_text("before")
    with pytest.raises(CommandError):
        aggregate(CROWD + "t1,ann\n")
    assert (tmp_path / "out.csv").read_text() == "before"
    assert len(aggregate(CROWD)) == 4


def test_if_one_output_fails_neither_is_written(aggregate, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(aggregation, "write_reliabilities", full)
    with pytest.raises(CommandError, match="No space left"):
        aggregate(CROWD, reliability=tmp_path / "r.csv")
    assert os.listdir(tmp_path) == ["votes.csv"]


def test_an_output_path_that_cannot_be_written_is_refused(tmp_path):
    source = tmp_path / "votes.csv"
    source.write_text(CROWD)
    (tmp_path / "link.csv").symlink_to(source)
    (tmp_path / "twin.csv").hardlink_to(source)
    places = [tmp_path / "no" / "out.csv", tmp_path, source, tmp_path / "link.csv", tmp_path / "twin.csv"]
    for place in places:
        with pytest.raises(CommandError, match="cannot be written"):
            run_on(source, place)
    with pytest.raises(CommandError, match="cannot be written"):
        run_on(source, tmp_path / "out.csv", reliability=tmp_path / "out.csv")
    assert source.read_text() == CROWD


def test_a_missing_input_file_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"gone\.csv: No such file"):
        run_on(tmp_path / "gone.csv", tmp_path / "out.csv")
    assert os.listdir(tmp_path) == []


def test_transcripts_passed_as_labels_are_refused_before_memory_runs_out(aggregate):
    table = HEADER + "".join(f"t{n},w{n % 900},words number {n}\n" for n in range(3000))
    with pytest.raises(CommandError, match="3000 different labels by 900 workers"):
        aggregate(table)


@pytest.mark.thorough
def test_it_runs_without_servers_and_prints_one_line(tmp_path):
    (tmp_path / "votes.csv").write_text(CROWD)
    done = manage(tmp_path, "aggregate", "votes.csv", "--kind", "label", "--output", "out.csv")
    summary = "out.csv: 4 tasks from 16 votes by 4 workers.\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, summary, "")


@pytest.mark.thorough
def test_a_fault_ends_in_exit_code_one(tmp_path):
    (tmp_path / "votes.csv").write_text(HEADER + "t1,ann\n")
    done = manage(tmp_path, "aggregate", "votes.csv", "--kind", "label", "--output", "out.csv")
    assert (done.returncode, done.stdout) == (1, "")
    expected = "CommandError: Nothing was written: votes.csv, line 2: 2 fields, but the header has 3\n"
    assert done.stderr == expected


def manage(folder, *arguments):
    nowhere = {"TAGGER_HOME": str(folder / "home"), "DATABASE_URL": "", "REDIS_URL": ""}
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", *arguments],
        cwd=folder,
        env=os.environ | nowhere,
        capture_output=True,
        text=True,
    )


# --- reading and writing tables ------------------------------------------------------------------

value = st.text(st.characters(codec="utf-8"), max_size=8).map(lambda text: f"x{text}")
# csv.writer of Python 3.11 does not quote a lone CR.
without_cr = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8).map(
    lambda text: f"x{text}"
)
rows_of_values = st.lists(st.tuples(value, value, value), min_size=1, max_size=12)
quietly = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_back(path, block):
    with mock.patch.object(blocks, "BLOCK", block):
        found = columns.read(path, FIELDS)
    texts = [column.names.values.take(column.indices).to_pylist() for column in found]
    return list(zip(*texts, strict=True))


@given(rows_of_values, st.sampled_from(["\n", "\r\n"]), st.integers(150, 300))
@quietly
def test_what_a_csv_writer_wrote_is_read_back(tmp_path, rows, end, block):
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([[f.name for f in FIELDS], *rows])
    (tmp_path / "t.csv").write_bytes(table.getvalue().encode())
    assert read_back(tmp_path / "t.csv", block) == rows


@given(st.lists(st.tuples(without_cr, without_cr, without_cr), min_size=1), st.integers(150, 300))
@quietly
def test_values_without_special_characters_need_no_quotes(tmp_path, rows, block):
    table = io.StringIO(newline="")
    csv.writer(table).writerows([[f.name for f in FIELDS], *rows])
    (tmp_path / "t.csv").write_bytes(table.getvalue().encode())
    assert read_back(tmp_path / "t.csv", block) == rows


@given(rows_of_values, st.integers(150, 300))
@quietly
def test_what_is_written_is_read_back(tmp_path, rows, block):
    written = output.lines([list_of(texts) for texts in zip(*rows, strict=True)])
    (tmp_path / "t.csv").write_bytes(HEADER.encode() + written)
    assert read_back(tmp_path / "t.csv", block) == rows


def list_of(texts):
    return columns.pa.array(list(texts), columns.pa.string())


@given(
    st.integers(0, 60),
    st.sampled_from(['a,"b\nc",d', "a,b,c", 'é,"",""""']),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
@quietly
def test_a_fault_far_down_is_reported_with_its_line(tmp_path, above, row, end):
    row = row.replace('"",', '"x",').replace("\n", end)
    table = HEADER.strip() + end + (row + end) * above + "short" + end + (row + end) * 5
    (tmp_path / "t.csv").write_bytes(table.encode())
    line = 2 + above * (1 + row.count(end))
    with pytest.raises(BadTable, match=f"line {line}: 1 fields"):
        read_back(tmp_path / "t.csv", 40)


def test_an_unclosed_quote_longer_than_a_block_is_reported_where_it_opens(tmp_path):
    (tmp_path / "t.csv").write_text(HEADER + "a,b,c\n" * 10 + 'a,b,"c\n' + "a,b,c\n" * 100)
    with pytest.raises(BadTable, match="line 12: the quote that opens here is never closed"):
        read_back(tmp_path / "t.csv", 50)


def test_votes_get_the_same_numbers_by_key_and_by_order():
    random_rows = [[random.Random(n).choice("abcdef") for n in range(k, k + 300)] for k in (0, 1000, 2000)]
    given_columns = [columns.Column(*encoded(texts)) for texts in random_rows]
    numbers = [column.names.ranks[column.indices] for column in given_columns]
    by_key = votes._distinct_by_key(numbers, [6, 6, 6])
    by_order = votes._distinct_by_order(numbers)
    assert [one.tolist() for one in by_key] == [one.tolist() for one in by_order]


def encoded(texts):
    found = columns.pa.array(texts).dictionary_encode()
    return found.indices.to_numpy(), columns.Names(found.dictionary)
