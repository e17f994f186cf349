"""Frames: whole, bounded, and in time."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator

import pytest

from vshell.jail.channel import FrameTooLargeError, GuestChannel, HostChannel, HungUpError


@pytest.fixture
def ends() -> Iterator[tuple[HostChannel, GuestChannel, socket.socket]]:
    ours, theirs = socket.socketpair()
    host = HostChannel(ours, max_frame_bytes=1 << 20)
    with theirs:
        yield host, GuestChannel(theirs.fileno()), theirs
    host.close()


def soon() -> float:
    return time.monotonic() + 5


@pytest.mark.parametrize("frame", [b"", b"a", b"x" * 100_000])
def test_frames_arrive_as_they_were_sent(
    ends: tuple[HostChannel, GuestChannel, socket.socket], frame: bytes
) -> None:
    host, guest, _ = ends
    guest.send(frame)
    guest.send(b"next")
    assert host.receive(deadline=soon()) == frame
    assert host.receive(deadline=soon()) == b"next"
    host.send(frame, deadline=soon())
    assert guest.receive() == frame


def test_a_frame_that_is_too_large_is_refused_by_its_length(
    ends: tuple[HostChannel, GuestChannel, socket.socket],
) -> None:
    host, _, theirs = ends
    theirs.send(struct.pack("<I", 2**32 - 1))
    with pytest.raises(FrameTooLargeError, match="4294967295"):
        host.receive(deadline=soon())


def test_half_a_frame_does_not_hold_the_host_up(
    ends: tuple[HostChannel, GuestChannel, socket.socket],
) -> None:
    host, _, theirs = ends
    theirs.send(struct.pack("<I", 10) + b"half")
    with pytest.raises(TimeoutError):
        host.receive(deadline=time.monotonic() + 0.01)


def test_a_guest_that_does_not_read_does_not_hold_the_host_up(
    ends: tuple[HostChannel, GuestChannel, socket.socket],
) -> None:
    host, _, _ = ends
    with pytest.raises(TimeoutError):
        host.send(b"x" * 10_000_000, deadline=time.monotonic() + 0.01)


def test_a_hang_up_is_noticed(ends: tuple[HostChannel, GuestChannel, socket.socket]) -> None:
    host, _, theirs = ends
    theirs.close()
    with pytest.raises(HungUpError):
        host.receive(deadline=soon())
    with pytest.raises(HungUpError):
        host.send(b"x" * 1000, deadline=soon())
