"""Doctor: a forced command that runs Gatekey must have files off, and sshd must take no dangerous variable along."""

import os
from pathlib import Path

import pytest

from tests.harness.command_line import Shell
from tui.commands import doctor_ssh
from tui.commands.findings import Finding, Level

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGy0 alice@laptop"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "sshd_config"


def found(config: Path, text: str = "", keys: str = "") -> dict[str, list[Finding]]:
    """The findings for this configuration and these lines in `authorized_keys`."""
    config.write_text(f"AuthorizedKeysFile {config.parent}/%u/keys\n{text}")
    import pwd

    file = config.parent / pwd.getpwuid(os.geteuid()).pw_name / "keys"
    file.parent.mkdir(exist_ok=True)
    file.write_text(keys)
    found: dict[str, list[Finding]] = {}
    for finding in doctor_ssh.examine({}, config):
        found.setdefault(finding.subject, []).append(finding)
    return found


def levels(findings: dict[str, list[Finding]]) -> list[Level]:
    return [finding.level for finding in findings["ssh"]]


LACKING = (
    "/opt/gatekey/.venv/bin/gatekey",
    "gatekey",
    "env HOME=/srv/data /opt/bin/gatekey --database /srv/db",
    "GATEKEY_DATABASE=postgresql://db/x exec gatekey",
    "/opt/bin/gatekey --no-filesystem",
    "/opt/bin/gatekey; echo --no-files",
    "cd /srv/gatekey && /opt/bin/gatekey",
    "sudo -u gatekey /opt/bin/gatekey",
    "GATEKEY_FILES=all gatekey",
    "sh -c 'gatekey'",
)
OFF = (
    "/opt/gatekey/.venv/bin/gatekey --no-files",
    "gatekey --database /srv/db --no-files",
    "env GATEKEY_FILES=none /opt/bin/gatekey",
    "export GATEKEY_FILES=none; exec gatekey",
    "cd /srv/gatekey && /opt/bin/gatekey --no-files",
    "sudo -u gatekey /opt/bin/gatekey --no-files",
    "sh -c 'gatekey --no-files'",
)
OTHERS = ("/usr/bin/backup", "internal-sftp", "none", "/opt/gatekey/bin/other", "gatekeyd", "/usr/bin/my-gatekey-thing")


@pytest.mark.parametrize("command", LACKING)
def test_a_forced_command_without_files_off_fails(config: Path, command: str) -> None:
    quoted = command.replace('"', '\\"')
    for findings in (
        found(config, f"Match User gatekey\n    ForceCommand {command}\n"),
        found(config, keys=f'# who\nrestrict,pty,command="{quoted}" {KEY}\n'),
    ):
        assert levels(findings) == [Level.FAIL]
        assert "lacks --no-files" in findings["ssh"][0].sentence
        assert findings["ssh"][0].fix == "Add --no-files to it."


@pytest.mark.parametrize("command", OFF)
def test_a_forced_command_with_files_off_is_well(config: Path, command: str) -> None:
    for findings in (
        found(config, f"Match User gatekey\n    ForceCommand {command}\n"),
        found(config, keys=f'restrict,pty,command="{command}" {KEY}\n'),
    ):
        assert levels(findings) == [Level.OK]
        assert "has --no-files" in findings["ssh"][0].sentence


@pytest.mark.parametrize("command", OTHERS)
def test_other_commands_are_nobody_elses_business(config: Path, command: str) -> None:
    findings = found(config, f"ForceCommand {command}\nAcceptEnv *\n", f'command="{command}" {KEY}\n')
    assert [finding.level for all_ in findings.values() for finding in all_] == [Level.OK]


def test_each_that_lacks_it_is_named_with_its_file(config: Path) -> None:
    findings = found(
        config,
        "#ForceCommand gatekey\nforcecommand=gatekey\n",
        f'command="gatekey --no-files" {KEY}\nno-pty,COMMAND="gatekey",restrict {KEY}\n{KEY} command="gatekey"\n',
    )
    assert levels(findings) == [Level.FAIL] * 2
    assert str(config) in findings["ssh"][0].sentence
    assert "/keys" in findings["ssh"][1].sentence


def test_included_files_are_read_and_a_circle_ends(config: Path) -> None:
    folder = config.parent / "sshd_config.d"
    folder.mkdir()
    (folder / "50-people.conf").write_text(f"Match Group people\nForceCommand gatekey\nInclude {config}\n")
    assert Level.FAIL in levels(found(config, "Include sshd_config.d/*.conf\n"))


def test_the_keys_of_the_home_are_read_where_nothing_else_is_said(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "authorized_keys2").write_text(f'command="gatekey" {KEY}\n')
    findings = list(doctor_ssh.examine({"HOME": str(tmp_path)}, tmp_path / "missing"))
    assert [finding.level for finding in findings if finding.subject == "ssh"] == [Level.FAIL]


@pytest.mark.parametrize("accepted", ["*", "GATEKEY_*", "LANG GATEKEY_FILES", "LANG\nAcceptEnv LC_* PYTHON*", "?OME"])
def test_a_variable_that_names_a_file_or_a_program_fails(config: Path, accepted: str) -> None:
    findings = found(config, f"AcceptEnv {accepted}\nForceCommand gatekey --no-files\n")
    assert [finding.level for finding in findings["ssh environment"]] == [Level.FAIL]


@pytest.mark.parametrize("accepted", ["COLORTERM", "LANG LC_* COLORTERM NO_COLOR"])
def test_what_debian_and_readme_accept_is_well(config: Path, accepted: str) -> None:
    findings = found(config, f"AcceptEnv {accepted}\nForceCommand gatekey --no-files\n")
    assert [finding.level for finding in findings["ssh environment"]] == [Level.OK]


def test_a_configuration_that_cannot_be_read_is_a_warning(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    (first, *_) = doctor_ssh.examine({}, config)
    assert first.level is Level.WARN
    assert str(config) in first.sentence


def test_the_command_fails(shell: Shell, config: Path) -> None:
    shell.add()
    config.write_text("ForceCommand gatekey\n")
    ran = shell.run("doctor", "--sshd-config", str(config))
    assert ran.status == 1
    assert "lacks --no-files" in ran.out
    config.write_text("ForceCommand gatekey --no-files\n")
    assert shell.run("doctor", "--sshd-config", str(config)).status == 0


@pytest.mark.parametrize("name", ["nowhere", "sshd_config/nowhere"])
def test_a_named_configuration_that_is_not_there_fails(shell: Shell, config: Path, name: str) -> None:
    shell.add()
    config.write_text("")
    ran = shell.run("doctor", "--sshd-config", str(config.parent / name))
    assert ran.status == 1
    (line,) = [line for line in ran.out.splitlines() if line.split()[:2] == ["fail", "ssh"]]
    assert "--sshd-config" in line


def test_a_machine_without_sshd_is_well(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_ssh, "SSHD_CONFIG", config)
    assert [finding.level for finding in doctor_ssh.examine({"HOME": str(config.parent)})] == [Level.OK]


def test_readme_tells_administrators_the_same() -> None:
    readme = (Path(__file__).parents[4] / "README.md").read_text()
    forced = [line for line in readme.splitlines() if "ForceCommand /" in line or 'command="/' in line]
    assert len(forced) == 2
    assert all(doctor_ssh.has_files_off(line) for line in forced)
