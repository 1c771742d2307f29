"""A part of this folder for kinds of queue manager on which the ordinary run has not all of it: start, takeover, a transfer
whose agents die, messages that are none. All of it: scripts/test brokers."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
NAMES = (
    "start_test.StartUp.test_the_first_instance_is_active_and_the_next_ones_stand_by",
    "start_test.StartUp.test_one_that_is_not_highly_available_ends_when_a_highly_available_one_is_active",
    "loss_test.Loss.test_a_killed_active_instance_is_replaced_and_comes_back_as_standby",
    "transfer_test.Takeover.test_the_active_source_is_killed",
    "transfer_test.Takeover.test_the_active_destination_is_killed",
    "disturbance_test.Strangers.test_tokens_that_are_none",
    "disturbance_test.Strangers.test_statuses_and_takeovers_that_are_none",
)


def load_tests(loader, _tests, _pattern):
    return loader.loadTestsFromNames(NAMES)


if __name__ == "__main__":
    unittest.main(verbosity=2)
