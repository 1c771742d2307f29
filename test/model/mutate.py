"""Writes a copy of the lock's machine with one step of the protocol left out: mutate.py NAME machine.cpp OUTPUT.

Each is an exact text that is there exactly once, and what takes its place: when the machine is changed so that this is
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
}


def main():
    name, source, target = sys.argv[1:]
    old, new = MUTATIONS[name]
    with open(source, encoding="utf-8") as file:
        text = file.read()
    if text.count(old) != 1:
        sys.exit("%s: %r is there %d times, not once" % (source, old, text.count(old)))
    with open(target, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))


if __name__ == "__main__":
    main()
