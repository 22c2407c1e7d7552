"""New secret keys without an interruption (SC-2): the new one in front, the old one readable, then gone."""

import secrets

from kit.keyring import Keyring
from kit.settings import Settings
from models import Account, OutgoingMail
from resolvers import upkeep
from tests.support.mailbox import Mailbox
from tests.support.people import COMPLETE_SIGN_UP, PASSWORD, SIGN_UP, sign_up
from tests.support.places import gateway_with, visitor
from tests.support.sign_in import AUTHENTICATION, REFRESH, try_password

NEW = secrets.token_bytes(32)


async def test_new_key_in_front_interrupts_nobody(settings: Settings) -> None:
    async with gateway_with(settings) as gateway:
        guest = visitor(gateway)
        ann = await sign_up(guest, Mailbox(guest.http))
        started = (await guest.run(SIGN_UP, email="eve@example.com", password=PASSWORD)).expect("SignUpStarted")
        code = await Mailbox(guest.http).code("eve@example.com")

    async with gateway_with(settings, secret_keys=(NEW, *settings.secret_keys)) as gateway:
        guest = visitor(gateway)
        seen = (await guest.bearing(ann.token).run(AUTHENTICATION)).root
        renewed = (await guest.bearing(ann.token).run(REFRESH)).expect("SessionStarted")["token"]
        completed = await guest.run(COMPLETE_SIGN_UP, token=started["signUpToken"], code=code)
        mails = await Mailbox(guest.http).mails()
        resealed = await upkeep.rotate_secrets(Keyring(gateway.settings.secret_keys))

    async with gateway_with(settings, secret_keys=(NEW,)) as gateway:
        guest = visitor(gateway)
        old = await guest.bearing(ann.token).run(AUTHENTICATION)
        new = await guest.bearing(renewed).run(AUTHENTICATION)
        again = await try_password(guest, ann.email, ann.password)
        kept = await Mailbox(guest.http).mails()
        accounts, sealed = await Account.all().count(), await OutgoingMail.all().values_list("sealed", flat=True)

    assert seen["email"] == ann.email
    completed.expect("SessionStarted")
    assert len(mails) == 2
    assert resealed["outgoing_mails"] == 2
    assert old.status == 401
    assert new.root["email"] == ann.email
    again.expect("SessionStarted")
    assert kept == mails
    assert accounts == 2
    assert len({str(text).partition(".")[0] for text in sealed}) == 1
