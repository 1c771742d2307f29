"""Every command: no words, wrong words, help. No queue manager runs."""
import subprocess
import unittest

from support import BIN, CommandTest


def names():
    return subprocess.run([BIN + "/fte", "--generate", "names"], capture_output=True, text=True, check=True).stdout.split()


class Words(CommandTest):
    def test_help_is_success_and_says_usage(self):
        for name in names():
            for word in ("-h", "-?", "--help"):
                self.assertIn("Usage: " + name, self.succeed(name, word))

    def test_wrong_options_say_usage(self):
        for name in names():
            said = self.fail_with(1, name, "-nonsense")
            self.assertIn("unknown option -nonsense", said)
            self.assertIn("Usage: " + name, said)

    def test_options_of_ibm_mft_are_refused_by_name(self):
        self.assertIn("-tr of IBM MFT is not supported yet", self.fail_with(1, "fteCreateTransfer", "-tr", "file=exist,x"))
        self.assertIn("-trace of IBM MFT is not supported yet", self.fail_with(1, "fteListAgents", "-trace", "all"))

    def test_options_that_do_not_go_together_are_refused(self):
        self.assertIn("no --json", self.fail_with(1, "fteListTransfers", "-f", "--json"))
        for name, more in (("fteDefineQueue", ("-type", "shared")), ("fteDeleteQueue", ())):
            self.assertIn("-port goes with -host", self.fail_with(1, name, "-m", "QM1", *more, "-port", "5672", "Q"))

    def test_no_words_and_no_configuration_say_what_to_do(self):
        for name in names():
            if name == "fteDisplayVersion":
                continue
            self.fail_with(1, name)
        self.assertIn("fteSetupCoordination", self.fail_with(1, "fteListAgents"))

    def test_the_program_itself(self):
        self.assertIn("fteStartAgent", self.succeed("fte", "--help"))
        self.assertEqual(self.run_command("fte").returncode, 1)
        self.assertIn("did you mean fteStartAgent", self.fail_with(1, "fte", "fteStartAgnt"))
        self.assertIn("Version", self.succeed("fte", "fteDisplayVersion"))

    def test_a_result_that_cannot_be_written_is_not_success(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([BIN + "/fteDisplayVersion"], stdout=full, env=self.environment, check=False)
        self.assertEqual(done.returncode, 1)

    def test_transfer_needs_one_destination(self):
        agents = ("-sa", "A", "-da", "B")
        self.assertIn("either -df or -dd", self.fail_with(1, "fteCreateTransfer", *agents, "x"))
        self.assertIn("either -df or -dd", self.fail_with(1, "fteCreateTransfer", *agents, "-df", "a", "-dd", "b", "x"))
        self.assertIn("-df is for one source", self.fail_with(1, "fteCreateTransfer", *agents, "-df", "a", "x", "y"))
        self.assertIn("key=value", self.fail_with(1, "fteCreateTransfer", *agents, "-df", "a", "-md", "nonsense", "x"))
        self.assertIn("cannot be the name of an agent",
                      self.fail_with(1, "fteCreateTransfer", "-sa", "a/b", "-da", "B", "-df", "a", "x"))


if __name__ == "__main__":
    unittest.main()
