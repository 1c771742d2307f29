"""Writes a copy of a source with one step of a protocol left out: mutate.py NAME SOURCE OUTPUT.

Each is one exact text, or several, that is there exactly once, and what takes its place: when the source is changed so that this is
no longer true, the build says so.
"""
import sys

MUTATIONS = {
    # After a reconnect it goes on as active, without the lock.
    "no_lock_after_reconnect": (
        "  state_ = state::standby;\n",
        "  state_ = state::standby;\n"
        "  if (epoch_ > 0) {\n"
        "    state_ = state::recovering;\n"
        "    deadline_ = now_ + limits_.lease_ms;\n"
        "    out.emplace_back(action::activate{epoch_, false});\n"
        "  }\n"),
    # The lease begins when the token is read, not when it was sent.
    "lease_from_reading": (
        "deadline_ = sent->second + limits_.lease_ms;",
        "deadline_ = now_ + limits_.lease_ms;"),
    # Active as soon as the broker has taken the claim.
    "no_loop_back": (
        "if (!claim_accepted_ || !claim_back_) return;",
        "if (!claim_accepted_) return;"),
    # Active as soon as the claim was sent.
    "active_on_sending": (
        "  out.emplace_back(action::send{{epoch_, 0, run_, false, false}, true});\n}\n",
        "  out.emplace_back(action::send{{epoch_, 0, run_, false, false}, true});\n"
        "  claim_accepted_ = claim_back_ = true;\n"
        "  claimed(out);\n"
        "}\n"),
    # The epochs that were seen while the claim was under way are not looked at.
    "no_second_look": (
        "  if (newest_.epoch >= epoch_) return claim(out);\n",
        ""),
    # What cannot be fenced is done at once, although the lease of the one before may not be over.
    "no_wait_for_old_lease": (
        "action::activate{epoch_, newest_.released}",
        "action::activate{epoch_, true}"),
    # One that had to wait for the lease before its own tells the next one that nothing is left to wait for.
    "release_hides_old_lease": (
        "  if (now_ < alone_at_) return end(out);\n",
        ""),
    # Who steps aside says that it does nothing any more, and only then stops.
    "released_while_active": (
        "  deactivate(out);\n"
        "  state_ = state::stepping_down;\n"
        "  aside_ = true;\n",
        "  if (!aside_) return release(e.moves, out);\n"),
    # Two that give way to each other never stop doing so.
    "gives_way_for_ever": (
        "  if (gave_way_ || limits_.hang_back_ms == 0) return false;\n",
        "  if (limits_.hang_back_ms == 0) return false;\n"),
    # Who is told that the lock has moved goes there again and again.
    "follows_for_ever": (
        "  if (newest_.moved && !gave_way_) {\n",
        "  if (newest_.moved) {\n"),
    # The durable token is settled when the one in its place came back, which is before that is on disk.
    "reissue_not_on_disk": (
        "if (!reissue_accepted_ || !reissue_back_) return;",
        "if (!reissue_back_) return;"),

    # Of the instances of a queue manager. The time that this one was stopped itself counts as silence of the active one.
    "silence_until_now": (
        "e.began_ms - holder_silent_since_ >= limits_.lease_ms",
        "now_ - holder_silent_since_ >= limits_.lease_ms"),
    # The lock is broken without waiting for a lease of silence.
    "no_silence": (
        "const bool silent = epoch_ > 0 && e.began_ms - holder_silent_since_ >= limits_.lease_ms;",
        "const bool silent = epoch_ > 0;"),
    # A renewal that began when the lease was over counts.
    "renewed_too_late": (
        "if (holds() && e.began_ms < deadline_) deadline_",
        "if (holds()) deadline_"),
    # The lease begins when the claim is answered, not when it was begun.
    "lease_from_answer": (
        "  deadline_ = e.began_ms + limits_.lease_ms;\n  renew_at_",
        "  deadline_ = now_ + limits_.lease_ms;\n  renew_at_"),
    # Behind the deadline a look at the store is enough.
    "late_looks_only": (
        "void machine::on(const event::late&, actions& out) {\n  if (holds()) out.emplace_back(action::reclaim{});",
        "void machine::on(const event::late&, actions& out) {\n  if (holds()) deadline_ = now_ + 1;\n  if (holds()) out.emplace_back(action::renew{});"),
    # In the store of the queue manager: a commit does not look at the epoch.
    "epoch_check": (
        "  if (now.epoch == epoch_) return;\n",
        "  return;\n"),
    # Nothing looks at the lease, and a renewal does not look at the store; only commits do.
    "lease_check": (
        "  if (boot_time_ms() >= machine_.wake_ms()) feed(event::tick{});  // a loop that is busy comes late to its timers\n"
        "  while (machine_.holds() && boot_time_ms() >= machine_.deadline_ms()) feed(event::late{});\n",
        "",
        "  if (!*held || now.epoch != self_.epoch) {\n",
        "  if (false) {\n",
        "void keeper::perform(const action::reclaim&) {\n",
        "void keeper::perform(const action::reclaim&) {\n  return perform(action::renew{});\n"),
}


def main():
    name, source, target = sys.argv[1:]
    texts = MUTATIONS[name]
    with open(source, encoding="utf-8") as file:
        text = file.read()
    for old, new in zip(texts[::2], texts[1::2]):
        if text.count(old) != 1:
            sys.exit("%s: %r is there %d times, not once" % (source, old, text.count(old)))
        text = text.replace(old, new)
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
