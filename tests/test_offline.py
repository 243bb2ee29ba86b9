"""Nothing leaves the machine: seen from a proxy, and from the kernel."""

import os
import platform
import socket
import subprocess
import sys
import threading

import pytest

_PICTURE = "data/samples/dog.jpg"

# Ends the process at the first of some system calls. Offsets and numbers are those of the kernel's
# headers: seccomp_data.nr at 0, then "allow" 0x7FFF0000 and "kill the process" 0x80000000.
_FILTER = """
import ctypes, struct, sys
numbers = {numbers}
code = [(0x20, 0, 0, 0)]  # load the number of the call
for place, number in enumerate(numbers):
    code.append((0x15, len(numbers) - place, 0, number))  # equal: jump to the end
code += [(0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x80000000)]
program = b"".join(struct.pack("HBBI", *line) for line in code)
buffer = ctypes.create_string_buffer(program)
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
if libc.prctl(22, 2, ctypes.byref(Program(len(code), ctypes.addressof(buffer))), 0, 0):
    sys.exit(77)  # PR_SET_SECCOMP is not allowed here
"""
_CALLS = {
    "x86_64": {"socket": 41, "connect": 42, "sendto": 44, "sendmsg": 46},
    "aarch64": {"socket": 198, "connect": 203, "sendto": 206, "sendmsg": 211},
}
_CAPTION = """
sys.argv = ["caption", *sys.argv[1:]]
from captioner.cli.caption import main
main()
"""

needs_seccomp = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in _CALLS,
    reason="seccomp by number is written for Linux on x86-64 and ARM64",
)


def _run_without(calls, script, *arguments):
    numbers = [_CALLS[platform.machine()][name] for name in calls]
    done = subprocess.run(
        [sys.executable, "-c", _FILTER.format(numbers=numbers) + script, *arguments],
        capture_output=True,
        text=True,
    )
    if done.returncode == 77:
        pytest.skip("this machine lets no process filter its system calls")
    return done


@needs_seccomp
@pytest.mark.parametrize("call", ["socket", "connect"])
def test_the_filter_ends_a_process_that_makes_the_call(call):
    script = "import socket; s = socket.socket(); s.connect_ex(('127.0.0.1', 9)); print('done')"
    done = _run_without([call], script)
    assert done.returncode != 0
    assert "done" not in done.stdout


@needs_seccomp
def test_a_caption_opens_no_socket(tiny_preset):
    done = _run_without(["socket"], _CAPTION, _PICTURE, "--preset", str(tiny_preset))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@needs_seccomp
def test_a_caption_by_keras_connects_to_nothing(tiny_preset):
    # TensorFlow imports urllib3, which opens a socket to see whether there is IPv6.
    done = _run_without(
        ["connect", "sendto", "sendmsg"],
        _CAPTION,
        *(_PICTURE, "--preset", str(tiny_preset), "--engine", "keras"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_nothing_asks_a_proxy(tiny_preset):
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def record():
            while True:
                try:
                    connection, _ = proxy.accept()
                except OSError:
                    return
                asked.append(connection.recv(200))
                connection.close()

        threading.Thread(target=record, daemon=True).start()
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        names = ("http_proxy", "https_proxy", "all_proxy")
        proxies = {name: address for lower in names for name in (lower, lower.upper())}
        script = f"import sys{_CAPTION}"
        command = [sys.executable, "-c", script, _PICTURE, "--preset", str(tiny_preset)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env={**os.environ, **proxies, "no_proxy": "", "NO_PROXY": ""},
        )
        with socket.create_connection(proxy.getsockname()) as own:
            own.sendall(b"the recorder works")
        deadline = threading.Event()
        for _ in range(100):
            if b"the recorder works" in asked:
                break
            deadline.wait(0.05)
    assert done.returncode == 0, done.stderr
    assert asked == [b"the recorder works"]


def test_switches_leave_a_choice_of_the_user_alone():
    code = "import os, captioner; print(os.environ['RAY_USAGE_STATS_ENABLED'])"
    for given, expected in (({}, "0"), ({"RAY_USAGE_STATS_ENABLED": "1"}, "1")):
        environment = {k: v for k, v in os.environ.items() if k != "RAY_USAGE_STATS_ENABLED"}
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env={**environment, **given},
        )
        assert done.stdout.strip() == expected, done.stderr
