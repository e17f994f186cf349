"""`factor`: prime factors."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

from vshell.shell.command import Command, Invocation
from vshell.shell.command_io import to_text
from vshell.shell.messages import quote_typographic

_SMALL: Final = tuple(
    number
    for number in range(2, 1000)
    if all(number % each for each in range(2, math.isqrt(number) + 1))
)
_WITNESSES: Final = _SMALL[:24]
"""Thirteen of them are proven enough below 3.3e24; more leave no known counter-example."""


def is_prime(number: int) -> bool:
    """Tell whether a number is prime, by Miller and Rabin's test with fixed witnesses."""
    if number < 2:
        return False
    for prime in _SMALL:
        if number % prime == 0:
            return number == prime
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd //= 2
        twos += 1
    return all(_passes(number, witness, odd, twos) for witness in _WITNESSES)


def _passes(number: int, witness: int, odd: int, twos: int) -> bool:
    value = pow(witness, odd, number)
    if value in (1, number - 1):
        return True
    for _ in range(twos - 1):
        value = value * value % number
        if value == number - 1:
            return True
    return False


def factors(number: int) -> list[int]:
    """Return the prime factors, each as often as it divides, in order."""
    found: list[int] = []
    for prime in _SMALL:
        if prime * prime > number:
            return [*found, number] if number > 1 else found
        while number % prime == 0:
            found.append(prime)
            number //= prime
    pending = [number] if number > 1 else []
    while pending:
        part = pending.pop()
        if is_prime(part):
            found.append(part)
            continue
        divisor = _divisor(part)
        pending += (divisor, part // divisor)
    return sorted(found)


def _divisor(number: int) -> int:
    """Find a divisor of a composite number by Pollard's rho with Brent's cycles."""
    root = math.isqrt(number)
    if root * root == number:
        return root
    for constant in range(1, number):
        divisor = _rho(number, constant)
        if divisor != number:
            return divisor
    raise AssertionError("a composite number has a divisor")


def _rho(number: int, constant: int) -> int:
    value, length, product, divisor = 2, 1, 1, 1
    saved = anchor = value
    while divisor == 1:
        anchor = value
        for _ in range(length):
            value = (value * value + constant) % number
        done = 0
        while done < length and divisor == 1:
            saved = value
            for _ in range(min(128, length - done)):
                value = (value * value + constant) % number
                product = product * abs(anchor - value) % number
            divisor = math.gcd(product, number)
            done += 128
        length *= 2
    if divisor != number:
        return divisor
    divisor = 1
    while divisor == 1:
        saved = (saved * saved + constant) % number
        divisor = math.gcd(abs(anchor - saved), number)
    return divisor


def run(call: Invocation) -> int:
    status = 0
    words = call.operands or _words(call)
    for word in words:
        match = re.fullmatch(r"\s*\+?(\d+)", word, re.ASCII)
        if match is None or len(match[1]) > 4000:
            call.complain(f"{quote_typographic(word)} is not a valid positive integer")
            status = 1
            continue
        number = int(match[1])
        found = factors(number) if number > 1 else []
        call.write(" ".join([f"{number}:", *map(str, found)]) + "\n")
    return status


def _words(call: Invocation) -> Iterator[str]:
    for line in call.stdin:
        yield from (to_text(word) for word in line.split())


COMMANDS: Final = (
    Command(
        "factor",
        "[NUMBER]...",
        "Print the prime factors of each NUMBER, or of the numbers on standard input.",
        run,
    ),
)
