import re
from hashlib import sha256

from service.keys.secret import PREFIX, digest_of, new_secret


def test_a_key_is_recognized_by_its_prefix_and_has_256_bits_in_characters_that_need_no_escaping() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    # 43 characters of 6 bits each.
    assert all(re.fullmatch(rf"{PREFIX}[A-Za-z0-9_-]{{43}}", secret) for secret in secrets)


def test_a_key_is_known_by_its_sha_256() -> None:
    assert digest_of(b"uac_x") == sha256(b"uac_x").digest()
