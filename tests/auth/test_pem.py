"""Public keys of sites: which are taken, and why others are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from graphid.auth.pem import MAX_PEM, read_public_pem


class Public(Protocol):
    def public_bytes(self, encoding: Encoding, format: PublicFormat) -> bytes: ...


def pem_of(key: Public, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> str:
    return key.public_bytes(Encoding.PEM, form).decode()


def rsa_key(bits: int = 2048, exponent: int = 65537) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(exponent, bits)


def point() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("make", "algorithm"),
    [
        (lambda: rsa_key().public_key(), "RS256"),
        (lambda: point().public_key(), "ES256"),
        (lambda: ed25519.Ed25519PrivateKey.generate().public_key(), "EdDSA"),
    ],
)
def test_each_kind_has_its_algorithm(make: Callable[[], Public], algorithm: str) -> None:
    pem = pem_of(make())
    assert read_public_pem(pem) == (algorithm, pem)
    assert read_public_pem("\n  " + pem + "\n") == (algorithm, pem)


def test_the_older_form_of_rsa_is_kept_in_the_newer() -> None:
    key = rsa_key().public_key()
    assert read_public_pem(pem_of(key, PublicFormat.PKCS1)) == ("RS256", pem_of(key))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: pem_of(rsa_key(1024).public_key()), "2048 to 8192 bits"),
        (lambda: pem_of(rsa_key(2048, 3).public_key()), "exponent of 65537"),
        (lambda: pem_of(ec.generate_private_key(ec.SECP384R1()).public_key()), "P-256"),
        (lambda: pem_of(ec.generate_private_key(ec.SECP256K1()).public_key()), "P-256"),
        (lambda: pem_of(ed448.Ed448PrivateKey.generate().public_key()), "Ed25519"),
        (lambda: "", "as PEM"),
        (lambda: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "as PEM"),
        (lambda: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "as PEM"),
        (lambda: pem_of(point().public_key())[:-40], "as PEM"),
        (lambda: "é" * 10, "as PEM"),
        (lambda: "x" * (MAX_PEM + 1), f"longer than {MAX_PEM}"),
    ],
)
def test_anything_else_is_refused(make: Callable[[], str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_public_pem(make())


def test_a_private_key_is_refused_and_not_repeated() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(ValueError, match="send its public key") as caught:
        read_public_pem(pem)
    assert pem.splitlines()[1] not in str(caught.value)
