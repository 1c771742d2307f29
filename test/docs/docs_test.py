"""The documentation agrees with the catalogue, the tables, the formats and the tree."""
import glob
import json
import os
import re
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MESSAGE_ID = re.compile(r"\bBFG[A-Z]{2}\d{4}[IWE]\b")
MEASURED = re.compile(r"\d ?(ms|µs|MB/s|MiB|GB/s|files/s|messages/s|% CPU)(?![\w/])")


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as text:
        return text.read()


def pages():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.split()
    return [name for name in listed if os.path.exists(os.path.join(ROOT, name))]


def prose(text):
    """Without fenced blocks; line numbers stay."""
    inside, out = False, []
    for line in text.splitlines():
        if line.startswith("```"):
            inside = not inside
            out.append("")
        else:
            out.append("" if inside else line)
    return out


def blocks(text, language):
    return re.findall(r"^```%s\n(.*?)^```" % language, text, re.MULTILINE | re.DOTALL)


def anchors(name):
    found = set()
    for line in prose(read(name)):
        if line.startswith("#"):
            title = line.lstrip("#").strip().lower()
            found.add(re.sub(r"[^\w\- ]", "", title).replace(" ", "-"))
    return found


def catalogue():
    ids = set()
    for name in glob.glob(os.path.join(ROOT, "common/messages/*.def")):
        ids.update(re.findall(r"BATON_MESSAGE\((\w+),", read(name)))
    return ids


def properties():
    return set(re.findall(r"^\| `(\w+)` \|", read("docs/properties.md"), re.MULTILINE))


def subjects():
    found = {}
    for name in glob.glob(os.path.join(ROOT, "common/formats/*.hpp")):
        text = read(name)
        for part in re.findall(r"namespace subject \{(.*?)\n\}", text, re.DOTALL):
            for word in re.findall(r'= "([^"]+)"', part):
                found[word] = os.path.basename(name)
    return found


class Docs(unittest.TestCase):
    def test_every_message_id_exists(self):
        known = catalogue()
        self.assertGreater(len(known), 100)
        wrong = ["%s:%d: %s" % (page, number, found) for page in pages()
                 for number, line in enumerate(read(page).splitlines(), 1)
                 for found in MESSAGE_ID.findall(line) if found not in known]
        self.assertEqual([], wrong, "message ids that the catalogue does not have")

    def test_every_message_is_documented(self):
        text = read("docs/messages.md")
        self.assertEqual([], sorted(one for one in catalogue() if one not in text))

    def test_every_property_named_in_a_table_exists(self):
        """A word in backquotes that has the shape and the beginning of a property is one."""
        known = properties()
        self.assertGreater(len(known), 60)
        begin = re.compile(r"(agent|coordination|connection|max|transfer|output|fail|recoverable|sender|io)[A-Z]\w+$")
        others = members()
        wrong = []
        for page in glob.glob(os.path.join(ROOT, "docs/*.md")):
            name = os.path.relpath(page, ROOT)
            if name in ("docs/properties.md", "docs/commands.md", "docs/messages.md"):
                continue
            for number, line in enumerate(prose(read(name)), 1):
                if line.startswith("|"):
                    wrong += ["%s:%d: %s" % (name, number, word) for word in re.findall(r"`(\w+)`", line)
                              if begin.match(word) and word not in known and word not in others]
        self.assertEqual([], wrong, "properties that do not exist")

    def test_every_subject_is_in_formats(self):
        text = read("docs/formats.md")
        found = subjects()
        self.assertGreater(len(found), 10)
        missing = ["%s (%s)" % (word, where) for word, where in sorted(found.items()) if "| `%s` |" % word not in text]
        self.assertEqual([], missing)

    def test_every_queue_is_in_formats(self):
        text = read("docs/formats.md")
        names = re.findall(r'"(SYSTEM\.FTE[A-Z.]*)"', read("common/formats/queues.hpp"))
        self.assertGreater(len(names), 7)
        self.assertEqual([], [name for name in names if name not in text])

    def test_every_member_of_a_body_is_in_formats(self):
        text = read("docs/formats.md")
        self.assertEqual([], sorted(one for one in members() if not re.search(r"[`\"]%s[`\"]" % one, text)))

    def test_examples_are_json(self):
        examples = blocks(read("docs/formats.md"), "json")
        self.assertGreater(len(examples), 10)
        for example in examples:
            self.assertEqual(1, json.loads(example)["version"], example)

    def test_every_command_is_documented(self):
        text = read("README.md") + read("docs/commands.md")
        self.assertEqual([], [name for name in read("commands/names.txt").split() if name not in text])

    def test_every_command_that_is_named_exists(self):
        known = set(read("commands/names.txt").split())
        not_ours = set(re.findall(r"fte[A-Z]\w+", section(read("README.md"), "Not here")))
        wrong = ["%s:%d: %s" % (page, number, word) for page in pages()
                 for number, line in enumerate(read(page).splitlines(), 1)
                 for word in re.findall(r"\bfte[A-Z]\w+", line) if word not in known | not_ours]
        self.assertEqual([], wrong)

    def test_relative_links_resolve(self):
        wrong = []
        for page in pages():
            for number, line in enumerate(prose(read(page)), 1):
                for target in re.findall(r"\]\(([^)\s]+)\)", line):
                    if re.match(r"[a-z]+:", target):
                        continue
                    path, _, anchor = target.partition("#")
                    name = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
                    if not os.path.exists(os.path.join(ROOT, name)):
                        wrong.append("%s:%d: %s" % (page, number, target))
                    elif anchor and name.endswith(".md") and anchor not in anchors(name):
                        wrong.append("%s:%d: %s (no such heading)" % (page, number, target))
        self.assertEqual([], wrong)

    def test_files_that_are_named_exist(self):
        wrong = []
        for page in pages():
            for number, line in enumerate(prose(read(page)), 1):
                for path in re.findall(r"`((?:agent|common|commands|coordination|properties|qmgr|scripts|test|docs)/[\w./]+)`", line):
                    base = os.path.join(ROOT, path.rstrip("/"))
                    beside = os.path.join(ROOT, os.path.dirname(page), path.rstrip("/"))
                    if not any(glob.glob(one + end) for one in (base, beside) for end in ("", ".*")):
                        wrong.append("%s:%d: %s" % (page, number, path))
        self.assertEqual([], wrong)

    def test_numbers_in_the_readme_name_the_script_that_measures_them(self):
        wrong = ["README.md:%d: %s" % (number, line) for number, line in enumerate(prose(read("README.md")), 1)
                 if MEASURED.search(line) and "scripts/" not in line]
        self.assertEqual([], wrong)


def section(text, title):
    found = re.search(r"^#+ %s\n(.*?)(?=^#+ |\Z)" % re.escape(title), text, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


def members():
    """Names of JSON members, from the lists that writer and reader are made of."""
    found = set()
    for name in glob.glob(os.path.join(ROOT, "common/formats/*.cpp")):
        found.update(re.findall(r'\ba(?:\.name)?\("(\w+)",', read(name)))
    return found


if __name__ == "__main__":
    unittest.main()
