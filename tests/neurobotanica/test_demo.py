"""`make demo`: what it says when something stands in its way."""

import socket

from neurobotanica.demo import Step, demo_steps, main, run_steps, site_processes


def test_a_taken_port_is_reported_before_anything_else_is_done(capfd, tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROBOTANICA_HOME", str(tmp_path / "home"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1

    said = capfd.readouterr().out
    assert f"another program listens on 127.0.0.1:{port}" in said
    assert f"make demo PORT={port + 1}" in said
    assert not (tmp_path / "home").exists()


def test_a_failing_step_ends_the_demo_with_its_exit_code_and_name(capfd):
    code = run_steps([Step("Fail", ("no_such_command",)), Step("Never run", ("check",))])

    said = capfd.readouterr().out
    assert code == 1
    assert "step 1 (no_such_command) failed with exit code 1" in said
    assert "Never run" not in said


def test_the_site_listens_on_loopback_alone(tmp_path):
    web = next(plan for plan in site_processes(tmp_path, port=8000) if plan.name == "web server")

    assert web.command[web.command.index("--host") + 1] == "127.0.0.1"


def test_each_queue_has_a_worker(tmp_path):
    commands = [plan.command for plan in site_processes(tmp_path, port=8000)]

    queues = {command[command.index("--queues") + 1] for command in commands if "--queues" in command}
    assert queues == {"default", "ml"}


def test_the_log_is_sealed_before_and_while_the_site_serves(tmp_path):
    assert demo_steps(tmp_path)[-1].arguments == ("seal_audit_log", "--once")
    assert [plan.command[-1] for plan in site_processes(tmp_path, port=8000) if plan.name == "sealer"] == [
        "seal_audit_log"
    ]
