"""Does each promise's test notice when the line that keeps the promise is gone? `make mutants`.

Every mutant changes one place in a copy of the tree and runs the tests that guard it there. A mutant
that lives means a promise without a guard.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Mutant:
    """`promise` is kept by `kept_by` in `file`; put `broken` in its place and `guard` turns red."""

    promise: str
    file: str
    kept_by: str
    broken: str
    guard: str


MUTANTS = [
    Mutant(
        "nothing is stored once consent was withdrawn",
        "accounts/consent.py",
        "    found = Consent.objects.live().filter(contributor=contributor,",
        "    found = Consent.objects.filter(contributor=contributor,",
        "tests/test_intake.py::test_nothing_is_stored_after_consent_was_withdrawn",
    ),
    Mutant(
        "a failure while storing leaves no file behind",
        "datasets/intake.py",
        "            vault.destroy(stored_as)\n",
        "            pass\n",
        "tests/test_intake.py::test_a_failure_after_the_file_was_written_leaves_no_file",
    ),
    Mutant(
        "the vault holds only ciphertext",
        "datasets/vault.py",
        "ContentFile(_sealed(name, key, wav))",
        "ContentFile(wav)",
        "tests/test_intake.py::test_the_vault_holds_only_ciphertext",
    ),
    Mutant(
        "the digest of a sound is sealed as the sound is",
        "datasets/vault.py",
        "keys.seal(key, hashlib.sha256(wav).digest(), _label(name))",
        "hashlib.sha256(wav).digest()",
        "tests/test_vault.py::test_a_file_holds_neither_the_sound_nor_its_digest_in_plain",
    ),
    Mutant(
        "a withdrawn clip is lent to nobody",
        "tagger/candidates.py",
        "        AND {{live}}\n",
        "",
        "tests/test_assignments.py::test_a_withdrawn_clip_is_lent_to_nobody",
    ),
    Mutant(
        "a clip that is gone takes no answer",
        "tagger/storing.py",
        " AND campaign.kind = %s AND {{live}}\n",
        " AND campaign.kind = %s\n",
        "tests/test_assignments.py::test_a_clip_that_is_gone_takes_no_answer",
    ),
    Mutant(
        "nobody hands in for another",
        "tagger/storing.py",
        "assignment.annotator_id + 0 = %s",
        "%s > 0",
        "tests/test_assignments.py::test_what_is_lent_to_another_is_not_there",
    ),
    Mutant(
        "an answer is settled though the broker lost it",
        "tagger/tasks.py",
        "settlement.settle_waiting(timezone.now(), AT_ONCE, failed)",
        "[]",
        "tests/test_tasks.py::test_what_the_broker_lost_is_settled_from_the_database",
    ),
    Mutant(
        "one task that cannot be settled keeps no others waiting",
        "tagger/tasks.py",
        "            failed.append(task_id)\n",
        "            raise\n",
        "tests/test_tasks.py::test_one_that_cannot_be_settled_keeps_no_others_waiting",
    ),
    Mutant(
        "what is stored after a worker began is asked for anew",
        "tagger/asking.py",
        "    _redis().delete(ASKED)",
        "    _redis().exists(ASKED)",
        "tests/test_tasks.py::test_settling_is_asked_for_once_until_somebody_begins",
    ),
    Mutant(
        "a call over a connection that was lost meanwhile is answered",
        "accounts/tokens.py",
        "    except Error:",
        "    except InterfaceError:",
        "tests/test_tokens.py::test_a_connection_that_was_lost_since_the_last_call_is_made_anew",
    ),
    Mutant(
        "a token of somebody who left opens nothing",
        "accounts/tokens.py",
        "        if not person.is_active:\n",
        "        if False:\n",
        "tests/test_api.py::test_a_token_that_ended_opens_nothing",
    ),
    Mutant(
        "a withdrawn clip cannot be heard",
        "tagger/assignments.py",
        'lent to you any more.")\n    _must_be_live(assignment.task.clip)',
        'lent to you any more.")',
        "tests/test_assignments.py::test_a_withdrawn_clip_cannot_be_heard",
    ),
    Mutant(
        "nobody hears their own clip as a volunteer",
        "tagger/candidates.py",
        "        AND clip.contributor_id <> %s AND clip",
        "        AND %s > 0 AND clip",
        "tests/test_assignments.py::test_nobody_is_lent_their_own_clip",
    ),
    Mutant(
        "a reported clip is hidden from everyone at once",
        "tagger/assignments.py",
        ".update(hidden_at=now)",
        ".update(hidden_at=None)",
        "tests/test_assignments.py::test_a_report_hides_the_clip_from_everyone_at_once",
    ),
    Mutant(
        "an answer is stored whole or not at all",
        "tagger/assignments.py",
        "@transaction.atomic\ndef _hand_in(",
        "def _hand_in(",
        "tests/test_assignments.py::test_an_answer_is_stored_whole_or_not_at_all",
    ),
    Mutant(
        "no task is lent to more people than are wanted",
        "tagger/candidates.py",
        "    LIMIT %s FOR NO KEY UPDATE OF task ",
        "    LIMIT %s -- ",
        "tests/test_lending_at_once.py::test_a_crowd_is_never_lent_more_places_than_are_wanted",
    ),
    Mutant(
        "two tabs of one person never borrow one task twice",
        "tagger/assignments.py",
        "        if not _one_at_a_time(annotator):\n            return []\n        count = min",
        "        count = min",
        "tests/test_lending_at_once.py::test_the_tabs_of_one_person_together_hold_no_more_than_the_most",
    ),
    Mutant(
        "a tie is never a verdict",
        "tagger/consensus/labels.py",
        "    tied = len(leaders) != 1\n",
        "    tied = not leaders\n",
        "tests/test_consensus_labels.py",
    ),
    Mutant(
        "no demo account where DEBUG is off",
        "tagger/management/commands/load_demo.py",
        "        if not settings.DEBUG:",
        "        if False:",
        "tests/test_demo.py::test_without_debug_no_demo_account_is_made",
    ),
    Mutant(
        "nothing new is stored under a notice that changed",
        "accounts/consent.py",
        "found.filter(Q(notice=None) | Q(notice__version=notices.current_version()))",
        "found",
        "tests/test_opt_in.py::test_a_changed_notice_stops_what_comes_in",
    ),
    Mutant(
        "no box is ticked beforehand",
        "accounts/consent_form.py",
        "forms.BooleanField(label=self.words[name], required=False)",
        "forms.BooleanField(label=self.words[name], required=False, initial=True)",
        "tests/test_opt_in.py::test_there_are_six_boxes_and_one_for_the_disguise_and_none_is_ticked",
    ),
    Mutant(
        "an answer to words that changed meanwhile gives nothing",
        "accounts/views_consent.py",
        "    if form.is_of_another_notice():",
        "    if False:",
        "tests/test_opt_in.py::test_an_answer_to_words_that_changed_meanwhile_gives_nothing",
    ),
    Mutant(
        "without volunteers the rest of its kind ends too",
        "accounts/consent.py",
        "    if purpose and purpose != Purpose.VOLUNTEERS:",
        "    if purpose:",
        "tests/test_opt_in.py::test_without_volunteers_the_rest_of_its_kind_ends_too",
    ),
    Mutant(
        "a changed receipt does not verify",
        "accounts/signing.py",
        '        _private().public_key().verify(_signature(document["signature"]), canonical(unsigned))',
        '        _signature(document["signature"]), canonical(unsigned)',
        "tests/test_receipts.py::test_any_one_change_is_noticed",
    ),
    Mutant(
        "two receipts cannot be told to be one person's",
        "accounts/receipts.py",
        'signing.pseudonym(f"subject {self._act}")',
        'signing.pseudonym(f"subject {self.contributor_id}")',
        "tests/test_receipts.py::test_a_receipt_names_nobody_and_two_receipts_name_nobody_alike",
    ),
    Mutant(
        "what is recorded after consent was withdrawn is not stored",
        "datasets/intake.py",
        "            allowed_by = consent.hold(\n"
        "                origin.contributor, campaign.material, Purpose.VOLUNTEERS, origin.reference\n"
        "            )\n",
        "            allowed_by = origin.contributor.consents.first()\n",
        "tests/test_recording.py::test_consent_withdrawn_while_the_page_was_open_ends_recording_at_once",
    ),
    Mutant(
        "without consent there is nothing to record with",
        "templates/datasets/record_campaign.html",
        "{% if not allowed %}",
        "{% if False %}",
        "tests/test_recording.py::test_without_consent_the_page_says_so_and_has_nothing_to_record_with",
    ),
    Mutant(
        "no recording lies in a temporary file",
        "datasets/views.py",
        "        request.upload_handlers = [MemoryFileUploadHandler(request)]\n",
        "",
        "tests/test_recording.py::test_no_recording_ever_lies_in_a_temporary_file",
    ),
    Mutant(
        "nobody is asked to read a sentence twice",
        "datasets/recording.py",
        "            del marks[mark]\n",
        "            pass\n",
        "tests/test_recording.py::test_nobody_is_asked_to_read_a_sentence_twice",
    ),
    Mutant(
        "which sentence somebody read stands nowhere in the database",
        "datasets/recording.py",
        "hmac.new(key, ",
        'hmac.new(b"", ',
        "tests/test_recording.py::test_which_sentence_somebody_read_stands_nowhere_in_the_database",
    ),
    Mutant(
        "the microphone is let go after each take",
        "static/js/record-microphone.js",
        " track.stop();",
        " track.muted;",
        "tests/test_browser_recording.py::test_what_the_microphone_heard_is_what_is_stored",
    ),
    Mutant(
        "nothing leaves the device before Send is pressed",
        "static/js/record.js",
        '    this.#go("review");\n    this.player.button.focus();\n',
        '    this.#go("review");\n    this.#send();\n',
        "tests/test_browser_recording.py::test_nothing_leaves_the_device_before_send",
    ),
    Mutant(
        "consent is asked before a byte of a device's upload is read",
        "datasets/uploads.py",
        "    if not consent.allows(device.owner, material, Purpose.VOLUNTEERS):",
        "    if False:",
        "tests/test_devices.py::test_consent_is_asked_before_a_byte_of_the_upload_is_read",
    ),
    Mutant(
        "nothing is taken from a revoked device",
        "accounts/devices.py",
        ".filter(device__uuid=device, device__revoked_on=None, device__owner__is_active=True)",
        ".filter(device__uuid=device, device__owner__is_active=True)",
        "tests/test_devices.py::test_revoking_on_the_profile_page_shuts_the_device_out",
    ),
    Mutant(
        "no token of a device is stored",
        "accounts/devices.py",
        "        access_sha256=_sha256(login.access),\n",
        "        access_sha256=login.access,\n",
        "tests/test_devices.py::test_nothing_that_opens_a_door_is_stored",
    ),
    Mutant(
        "a refresh token that is used twice shuts its device out",
        "accounts/devices.py",
        "        if not login.is_replaced or (",
        "        if True or (",
        "tests/test_devices.py::test_a_refresh_token_used_twice_revokes_the_device_as_theft",
    ),
    Mutant(
        "pairing codes cannot be guessed",
        "accounts/devices.py",
        "    if cache.incr(_tries(owner)) > MOST_WRONG:",
        "    if False:",
        "tests/test_devices.py::test_codes_cannot_be_guessed_ten_an_hour_and_no_more",
    ),
    Mutant(
        "a clip in its cooling-off is lent to nobody",
        "datasets/models.py",
        '            not_held("clip__held_until"),\n',
        "",
        "tests/test_devices.py::test_a_clip_of_a_device_is_lent_to_nobody_until_its_cooling_off_is_over",
    ),
    Mutant(
        "nobody plays or deletes the clip of another",
        "datasets/my_clips.py",
        "    return contributor.clips.filter(withdrawal=None)\n",
        "    return Clip.objects.filter(withdrawal=None)\n",
        "tests/test_my_clips.py::test_nobody_plays_or_deletes_the_clip_of_another",
    ),
    Mutant(
        "what is being erased is not even played to its owner",
        "datasets/my_clips.py",
        "    return contributor.clips.filter(withdrawal=None)\n",
        "    return contributor.clips.all()\n",
        "tests/test_my_clips.py"
        "::test_deleting_one_asks_once_takes_it_from_the_next_request_and_gives_a_receipt",
    ),
    Mutant(
        "no cache keeps a clip",
        "datasets/byteranges.py",
        '    response["Cache-Control"] = "no-store"\n',
        "",
        "tests/test_my_clips.py::test_one_hears_ones_own_clip_in_parts_too_and_no_cache_keeps_it",
    ),
    Mutant(
        "a held clip that is binned is gone",
        "datasets/views_clips.py",
        "erasure.of_clips(request.user, going, timezone.now())",
        "str(my_clips.keep(request.user, going, timezone.now()))",
        "tests/test_my_clips.py::test_a_held_clip_that_is_binned_is_gone",
    ),
    Mutant(
        "leaving asks with nothing preselected",
        "datasets/views_leaving.py",
        "        widget=forms.RadioSelect,\n",
        "        widget=forms.RadioSelect,\n        initial=KEEP,\n",
        "tests/test_leaving_pages.py::test_leaving_asks_one_question_with_nothing_preselected_and_no_reason",
    ),
    Mutant(
        "a worker is told of every erasure",
        "datasets/erasure.py",
        "    tasks.scrub.delay_on_commit(requested.withdrawal)  # type: ignore[attr-defined]\n",
        "",
        "tests/test_leaving_pages.py::test_the_scrub_is_queued_by_the_press_itself",
    ),
    Mutant(
        "withdrawing everything erases every clip",
        "datasets/erasure.py",
        "    if not going:",
        "    if True:",
        "tests/test_leaving_pages.py::test_withdrawing_everything_erases_every_clip_and_gives_a_receipt",
    ),
    Mutant(
        "the download holds only one's own answers",
        "datasets/personal_data.py",
        "    answers = person.annotations.filter(**only).annotate(",
        "    answers = Annotation.objects.filter(**only).annotate(",
        "tests/test_leaving_pages.py::test_the_download_holds_nothing_of_anybody_else",
    ),
    Mutant(
        "the download holds only one's own clips",
        "datasets/personal_data.py",
        "    clips = person.clips.filter(withdrawal=None)",
        "    clips = Clip.objects.filter(withdrawal=None)",
        "tests/test_leaving_pages.py::test_the_download_holds_nothing_of_anybody_else",
    ),
    Mutant(
        "what a volunteer wrote down goes with the speaker's clip",
        "datasets/personal_data.py",
        "given.answer if given.may_be_heard else None",
        "given.answer",
        "tests/test_leaving_pages.py::test_what_somebody_wrote_down_is_the_speakers_once_the_clip_is_withdrawn",
    ),
    Mutant(
        "what was erased is recalled from the releases that held it",
        "datasets/withdrawal.py",
        "        _recall(ReleaseRow.objects.filter(task__in=tasks))\n",
        "",
        "tests/test_recalls.py::test_what_was_erased_is_in_the_feed_from_the_next_publication_on",
    ),
    Mutant(
        "what researchers may have no more is recalled",
        "datasets/recalls.py",
        "    _recall_what_researchers_may_have_no_more(release)\n    entered",
        "    entered",
        "tests/test_recalls.py::"
        "test_what_researchers_may_have_no_more_is_recalled_though_volunteers_go_on_hearing_it",
    ),
    Mutant(
        "the recall feed changes once a day, and does not tell when within it somebody left",
        "datasets/recalls.py",
        "    if _published_on(release) >= today:",
        "    if False:",
        "tests/test_recalls.py::test_the_feed_is_the_same_bytes_between_publications",
    ),
    Mutant(
        "the recall feed is signed",
        "datasets/recalls.py",
        "    return signing.sign(\n",
        "    return dict(\n",
        "tests/test_recalls.py::test_a_release_without_recalls_has_an_empty_feed_that_is_signed",
    ),
    Mutant(
        "a copy is not cleaned by a list that its site did not sign",
        "static/downloads/clean_copy.py",
        " or not is_signed(key, text, signature)",
        "",
        "tests/test_clean_copy.py::test_a_feed_with_a_wrong_signature_changes_nothing",
    ),
    Mutant(
        "a copy is not cleaned by the list of another release",
        "static/downloads/clean_copy.py",
        'said["release"] != release or ',
        "",
        "tests/test_clean_copy.py::test_the_feed_of_another_release_changes_nothing",
    ),
    Mutant(
        "no row about a withdrawn clip stays in a cleaned copy",
        "static/downloads/clean_copy.py",
        "        elif rest != data:",
        "        elif False:",
        "tests/test_clean_copy.py::test_a_cleaned_deepspeech_copy_reads_without_who_left",
    ),
    Mutant(
        "the reconciler sees a clip that no live consent covers",
        "datasets/reconcile.py",
        "    if not clip.covered:",
        "    if False:",
        "tests/test_reconcile.py::test_each_kind_is_found_and_counted",
    ),
    Mutant(
        "the reconciler sees a file that no clip names",
        "datasets/reconcile.py",
        "    yield from _files(now, held)\n",
        "",
        "tests/test_reconcile.py::test_each_kind_is_found_and_counted",
    ),
    Mutant(
        "the reconciler sees an erasure that is overdue",
        "datasets/reconcile.py",
        "requested_at__lt=now - ERASED_WITHIN",
        "requested_at=None",
        "tests/test_reconcile.py::test_each_kind_is_found_and_counted",
    ),
    Mutant(
        "removing rubbish spares what may belong to an upload under way",
        "datasets/reconcile.py",
        "not _is_older(name, now - REMOVED_AFTER)",
        "False",
        "tests/test_reconcile.py::test_rubbish_is_removed_on_request_and_nothing_else_is",
    ),
    Mutant(
        "no page calls another host",
        "templates/base.html",
        '  <meta name="color-scheme" content="light dark">\n',
        '  <link rel="dns-prefetch" href="//fonts.invalid">\n',
        "tests/test_browser_no_third_party.py::test_no_page_calls_anybody_else",
    ),
    Mutant(
        "old backups of who deleted one clip still open all their others",
        "datasets/keycopy.py",
        "    turnover.back_up(clip_keys())",
        "    turnover.back_up()",
        "tests/test_attack.py::test_without_the_copy_of_the_keys_old_backups_of_who_deleted_a_clip_are_lost",
    ),
    Mutant(
        "old backups open nothing of who left",
        "accounts/turnover.py",
        "                ciphers.destroy(name)\n",
        "                pass\n",
        "tests/test_attack.py::"
        "test_yesterdays_dump_with_todays_keys_opens_nothing_of_who_left_and_all_of_who_stayed",
    ),
    Mutant(
        "an old backup opens no clip that was deleted",
        "datasets/withdrawal.py",
        "        _renew_key(request, person)\n",
        "        pass\n",
        "tests/test_attack.py::test_one_deleted_clip_opens_no_more_while_everything_else_of_that_person_does",
    ),
    Mutant(
        "a master turns over also after an erasure that was under way when it last did",
        "datasets/withdrawal.py",
        "    _finish(request, clock())\n",
        "    _finish(request, request.requested_at)\n",
        "tests/test_attack.py::test_a_turn_over_follows_also_on_a_scrub_that_began_before_the_last_one",
    ),
    Mutant(
        "the record of who looked and decided cannot be changed unseen",
        "accounts/audit.py",
        '        "before": before,\n',
        "",
        "tests/test_audit.py::test_an_event_that_was_changed_with_its_own_hash_is_noticed_by_the_next",
    ),
    Mutant(
        "a reviewer who hears a clip is on record",
        "tagger/views.py",
        '    audit.looked(f"clip {clip.pk}", request.user, timezone.now())\n',
        "",
        "tests/test_audit.py::test_a_reviewer_who_hears_a_clip_is_on_record_once",
    ),
    Mutant(
        "who leaves is erased from the record",
        "datasets/withdrawal.py",
        '            "audit_names": audit.forget(person),\n',
        "",
        "tests/test_audit.py::test_who_leaves_is_erased_from_the_record",
    ),
    Mutant(
        "a receipt is held against the record, not its signature alone",
        "accounts/receipts.py",
        '        audit.must_hold(event["number"], event["sha256"])\n',
        "        pass\n",
        "tests/test_audit.py::test_a_receipt_no_longer_verifies_when_the_record_before_it_was_rewritten",
    ),
    Mutant(
        "events at the same moment follow one another",
        "accounts/audit.py",
        '        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [AUDIT_LOCK])\n',
        "        pass\n",
        "tests/test_audit.py::test_events_at_the_same_moment_follow_one_another",
    ),
    Mutant(
        "one erasure that fails does not keep the others waiting",
        "datasets/tasks.py",
        "        except Exception:  # one person's",
        "        except KeyError:  # one person's",
        "tests/test_withdrawal.py::test_an_erasure_that_fails_does_not_keep_the_others_waiting",
    ),
    Mutant(
        "a public release holds only what public releases may hold",
        "datasets/releases.py",
        "    taken = sure.live_for(audience)\n",
        "    taken = sure.live_for(Purpose.RESEARCHERS)\n",
        "tests/test_releases.py::test_a_public_release_holds_only_what_public_releases_may_hold",
    ),
    Mutant(
        "an import is for public releases only when told so",
        "datasets/imports.py",
        "list(Purpose) if public else",
        "list(Purpose) if True else",
        "tests/test_imports.py::test_an_import_is_for_public_releases_only_when_told_so",
    ),
    Mutant(
        "who takes back public releases is out of them",
        "datasets/releases.py",
        "live_for(Purpose(release.audience))",
        "live_for(Purpose.RESEARCHERS)",
        "tests/test_releases.py::test_who_takes_back_public_releases_is_out_of_public_ones_alone",
    ),
    Mutant(
        "what a consent refers to is stored in no plain column",
        "accounts/consent.py",
        "    return ciphers.seal(keys.data_key(contributor), reference.encode(), label)\n",
        "    return reference.encode()\n",
        "tests/test_imports.py::test_a_speakers_name_stands_nowhere_in_the_database",
    ),
    Mutant(
        "no upload lands in an account that is being left",
        "accounts/consent.py",
        "    lock(contributor)\n    found = ",
        "    found = ",
        "tests/test_races.py::test_an_upload_that_races_an_opt_out_leaves_no_clip_no_file_and_no_key",
    ),
    Mutant(
        "what consents refer to opens from old backups for everybody who stayed",
        "accounts/turnover.py",
        "            given.update(sealed_reference=b64decode(reference))\n",
        "            given.exists()\n",
        "tests/test_attack.py::test_what_consents_refer_to_opens_after_a_clip_was_deleted",
    ),
    Mutant(
        "what who left had borrowed goes back to others",
        "datasets/withdrawal.py",
        '        Task.objects.filter(pk__in=freed).update(lent_count=F("lent_count") - 1)\n',
        "",
        "tests/test_withdrawal.py::test_what_who_leaves_had_borrowed_goes_back_to_others",
    ),
    Mutant(
        "two workers at one erasure count nothing twice",
        "datasets/withdrawal.py",
        "    Withdrawal.objects.select_for_update().get(pk=request.pk)\n",
        "    pass\n",
        "tests/test_races.py::test_two_workers_at_one_erasure_count_nothing_twice",
    ),
    Mutant(
        "no letter of a site without a mail server outlives an account",
        "datasets/withdrawal.py",
        "        outbox.clear()\n",
        "",
        "tests/test_withdrawal.py::test_no_letter_is_left_in_the_outbox",
    ),
    Mutant(
        "who is leaving is lent nothing any more",
        "tagger/assignments.py",
        "        if not _one_at_a_time(annotator):\n",
        "        if _one_at_a_time(annotator) is None:\n",
        "tests/test_withdrawal.py::test_who_is_leaving_is_lent_nothing_any_more",
    ),
    Mutant(
        "an answer under way while its person leaves goes with the others",
        "datasets/withdrawal.py",
        "        _give_back(request, person)\n",
        "",
        "tests/test_withdrawal.py::test_an_answer_under_way_while_its_person_leaves_goes_with_the_others",
    ),
    Mutant(
        "a database that dies while it commits leaves no row without its file",
        "datasets/intake.py",
        "        if stored_as and not _may_be_stored(stored_as, error):\n",
        "        if stored_as:\n",
        "tests/test_intake.py::test_a_commit_whose_answer_was_lost_leaves_no_row_without_its_file",
    ),
    Mutant(
        "words that few contributors said stay out of what is kept in plain",
        "tagger/transcript_crowds.py",
        "if len(said_by[each]) >= SPOKEN_BY})",
        "if len(said_by[each]) >= 1})",
        "tests/test_reliability.py::test_words_that_few_contributors_said_stay_out_of_the_lexicon",
    ),
    Mutant(
        "nobody but reviewers sees how others answer",
        "tagger/views_figures.py",
        "@reviewer_required\n",
        "@annotator_required\n",
        "tests/test_reliability.py::test_nobody_else_sees_how_others_answer",
    ),
    Mutant(
        "who left is not listed",
        "tagger/views_figures.py",
        ".filter(annotator__is_active=True)",
        ".filter()",
        "tests/test_reliability.py::test_who_left_is_not_among_them",
    ),
    Mutant(
        "a control never brings a task above its campaign's most",
        "tagger/controls.py",
        '        .filter(annotation_count__lt=campaign.max_annotations - F("lent_count"))\n',
        "",
        "tests/test_controls.py::test_an_answer_to_a_control_is_a_vote_and_the_most_is_kept_to",
    ),
    Mutant(
        "the speaker never meets a control of their own",
        "tagger/controls.py",
        "        AND clip.contributor_id <> %s AND {{live}}\n",
        "        AND %s > 0 AND {{live}}\n",
        "tests/test_controls.py::test_the_speaker_never_meets_a_control_of_their_own",
    ),
    Mutant(
        "what is said of a clip once more is no vote",
        "tagger/assignments.py",
        "    if assignment.role == Role.REPEAT:\n        return _say",
        "    if False:\n        return _say",
        "tests/test_controls.py::test_what_is_said_again_is_kept_apart_and_is_no_vote",
    ),
    Mutant(
        "the places of controls do not tell which they are",
        "tagger/assignments.py",
        "wanted.insert(controls.dice.randint(0, len(wanted)), each)",
        "wanted.append(each)",
        "tests/test_controls.py::test_the_places_of_controls_do_not_tell_which_they_are",
    ),
    Mutant(
        "a label holds the votes that it was made from",
        "tagger/certificates.py",
        '    if _hash(given) != held["votes"]["sha256"]:\n',
        "    if False:\n",
        "tests/test_certificates.py::test_a_vote_that_was_changed_behind_its_back_is_noticed",
    ),
    Mutant(
        "what was withdrawn is in no later archive",
        "datasets/releases.py",
        "    return release.rows.filter(~Exists(recalled), task__in=allowed)",
        "    return release.rows.filter(~Exists(recalled))",
        "tests/test_archive.py::test_what_was_withdrawn_is_in_no_later_archive",
    ),
    Mutant(
        "what is withdrawn while an archive streams is not sent any more",
        "datasets/releases.py",
        '        AND {live.tasks(audience, "task.id")}\n',
        "",
        "tests/test_archive.py"
        "::test_what_is_withdrawn_while_it_streams_breaks_the_stream_off_before_its_first_byte",
    ),
    Mutant(
        "what was read ahead is not sent any more once it is withdrawn",
        "datasets/archive.py",
        "        sounds.places(place)\n",
        "",
        "tests/test_archive.py"
        "::test_what_is_withdrawn_while_it_streams_breaks_the_stream_off_before_its_first_byte",
    ),
    Mutant(
        "a download goes on in the same archive alone",
        "datasets/release_api.py",
        '    if request.headers.get("If-Range", archive.etag) != archive.etag:\n',
        "    if False:\n",
        "tests/test_release_api.py::test_after_something_was_withdrawn_the_new_archive_comes_whole",
    ),
    Mutant(
        "a clip that is shown with its answer is never a control",
        "tagger/controls.py",
        "        AND NOT EXISTS (SELECT FROM {Example._meta.db_table} shown WHERE shown.task_id = task.id)\n",
        "",
        "tests/test_examples.py::test_an_example_is_no_control_and_no_repeat_not_even_when_it_was_taken_out",
    ),
    Mutant(
        "whoever was imported and withdrew is brought back by no import",
        "datasets/imports.py",
        "                if consent.has_withdrawn(person):\n",
        "                if False:\n",
        "tests/test_withdraw_import.py::"
        "test_one_speaker_goes_at_once_with_a_receipt_and_no_import_brings_them_back",
    ),
    Mutant(
        "nobody is an example who agreed to words that name none",
        "tagger/examples.py",
        "few=True, since=notices.EXAMPLES)",
        "few=True)",
        "tests/test_examples.py::test_whoever_agreed_to_words_that_name_no_examples_is_none",
    ),
    Mutant(
        "a reported example is hidden from everyone at once",
        "tagger/assignments.py",
        "    _hide(task, now)\n    given",
        "    given",
        "tests/test_examples.py::test_who_hears_it_hides_it_from_everyone_at_once_and_reviewers_see_why",
    ),
    Mutant(
        "whoever opts out is no example from the next request on",
        "tagger/examples.py",
        "is_shown=True, task__in=live, ",
        "is_shown=True, ",
        "tests/test_examples.py::test_whoever_opts_out_is_no_example_from_the_next_request_on_and_then_gone",
    ),
    Mutant(
        "an answer that did not get through is kept and sent again",
        "static/js/outbox.js",
        "      if (!(error instanceof Refused)) throw error;\n",
        "",
        "tests/test_browser_desk.py"
        "::test_with_the_network_gone_all_clips_at_hand_are_answered_and_arrive_once",
    ),
    Mutant(
        "an answer outlives the tab it was given in",
        "static/js/device-store.js",
        "    if (write(this.#prefix + key, value))",
        "    if (false)",
        "tests/test_browser_desk.py"
        "::test_a_closed_tab_leaves_its_answers_to_the_next_and_their_clips_are_not_shown_again",
    ),
    Mutant(
        "nobody's answers go out in another one's name",
        "static/js/api.js",
        "  if (drawnFor !== ours.account || response.status === 403)",
        "  if (response.status === 403)",
        "tests/test_browser_desk.py"
        "::test_somebody_else_who_logs_in_sends_nothing_of_this_page_and_it_waits_for_its_owner",
    ),
    Mutant(
        "no answer before enough was heard",
        "static/js/answer-gate.js",
        "    return heard(audio) >= share * audio.duration - TOLERANCE;\n",
        "    return true;\n",
        "tests/test_browser_desk_listening.py::test_answers_open_halfway_and_yes_at_the_end",
    ),
    Mutant(
        "of those who answer a clip one alone is shown the machine's draft",
        "tagger/drafts.py",
        " or shown.exists():",
        ":",
        "tests/test_drafts.py::test_one_volunteer_of_each_clip_is_shown_it",
    ),
    Mutant(
        "nobody is lent a clip on the page before the pledge",
        "tagger/views.py",
        "        return _to_the_pledge(campaign)\n    lent = ",
        "        pass\n    lent = ",
        "tests/test_first_minute.py::test_nobody_is_lent_a_clip_on_the_page_before_the_pledge",
    ),
    Mutant(
        "another version of the pledge asks everybody again",
        "tagger/pledge.py",
        "    return person.pledge == VERSION\n",
        '    return person.pledge != ""\n',
        "tests/test_first_minute.py::test_another_version_of_the_pledge_asks_again",
    ),
    Mutant(
        "nobody is named among the volunteers who did not ask for it",
        "tagger/belonging.py",
        '"person.on_leaderboard AND person.is_active',
        '"person.is_active',
        "tests/test_belonging.py::test_nobody_is_listed_who_did_not_ask_for_it",
    ),
    Mutant(
        "the list of volunteers rewards days and not answers",
        "tagger/belonging.py",
        "        OFFSET %s LIMIT 1\n",
        "        OFFSET %s\n",
        "tests/test_belonging.py::test_a_day_counts_once_from_ten_answers_on_and_four_weeks_back",
    ),
    Mutant(
        "days are counted aloud only for who wants it",
        "tagger/views.py",
        "belonging.streak(request.user, now) if request.user.shows_streak else None",
        "belonging.streak(request.user, now)",
        "tests/test_belonging.py::test_a_streak_is_told_only_to_who_wants_it",
    ),
    Mutant(
        "the pause after ten answers stays until somebody goes on",
        "static/js/desk-turns.js",
        "    if (this.set.isFull) return this.#pause();\n",
        "",
        "tests/test_browser_belonging.py::test_the_last_answer_is_taken_back_at_the_pause",
    ),
    Mutant(
        "a screen reader hears what became of each answer",
        "static/js/desk-turns.js",
        '    if (this.done) this.#tellDone(this.word("next-clip"));\n',
        "",
        "tests/test_browser_access.py::test_a_screen_reader_hears_once_what_became_of_each_answer",
    ),
    Mutant(
        "nothing moves for those who ask for that",
        "static/css/site.css",
        "    transition: none !important;\n",
        "",
        "tests/test_browser_access.py::test_nothing_moves_for_those_who_ask_for_that",
    ),
    Mutant(
        "answers can be told apart in the system's own colours",
        "static/css/site.css",
        "    outline: 2px solid;\n",
        "",
        "tests/test_browser_access.py::test_answers_can_be_told_apart_in_the_systems_own_colours",
    ),
]


def main() -> int:
    alive = [mutant for mutant in MUTANTS if not dies(mutant)]
    for mutant in alive:
        print(f"ALIVE: {mutant.promise} ({mutant.file}; {mutant.guard})")
    print(f"{len(MUTANTS) - len(alive)} of {len(MUTANTS)} mutants died")
    return 1 if alive else 0


def dies(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory(prefix="tagger-mutant-") as scratch:
        tree = copy_of_the_tree(Path(scratch))
        if passes(tree, mutant.guard) is False:
            raise SystemExit(f"{mutant.guard} is red without any mutant")
        file = tree / mutant.file
        file.write_text(file.read_text().replace(mutant.kept_by, mutant.broken))
        died = not passes(tree, mutant.guard)
    print(f"{'died' if died else 'ALIVE':<6} {mutant.promise}", flush=True)
    return died


def copy_of_the_tree(scratch: Path) -> Path:
    tree = scratch / "tree"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return tree


def passes(tree: Path, guard: str) -> bool:
    """Whether the guard is green; anything but green or red (no such test, say) stops the run."""
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", *guard.split()]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{guard}: pytest stopped with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
