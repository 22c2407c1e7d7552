"""A new password for someone who is signed in."""

from kit import clock
from kit.errors import InvalidCredentials, InvalidInput, Refused
from mails import messages
from models import SecurityEventKind
from resolvers.callers import Caller
from resolvers.passwords import check_new_password, prove_own_password
from resolvers.sessions import StartedSession, restart_session


async def change_password(caller: Caller, *, current_password: str, new_password: str) -> StartedSession:
    """Replace the password, end every session, begin one for the caller.

    Raises InvalidCredentials, InvalidInput, TooManyAttempts, Refused(SESSION_REQUIRED, PASSWORD_NOT_SET).
    """
    facts, _ = caller.session_of_a_person()
    _check(new_password, email=facts.email, path="input.newPassword")
    proved = await prove_own_password(caller, current_password, path="input.currentPassword")
    password_hash = await caller.services.passwords.hash(new_password)
    async with caller.changing_account() as account:
        # SECURITY: a password that was changed meanwhile is wrong by now.
        if not account.keeps_password_of(proved):
            raise InvalidCredentials
        await account.replace_password(account.password_hash, password_hash)
        await caller.record(account.id, SecurityEventKind.PASSWORD_CHANGED)
        notice = messages.password_changed(account.email, origin=caller.origin, at=clock.now())
        await caller.mail(notice, address=account.email_canonical, account_id=account.id)
        return await restart_session(caller, account)


async def set_password(caller: Caller, *, new_password: str) -> StartedSession:
    """Give an account its first password, end every session, begin one for the caller.

    Raises InvalidInput, StepUpRequired, Refused(SESSION_REQUIRED, PASSWORD_ALREADY_SET).
    """
    facts, _ = caller.session_of_a_person()
    already_set = Refused("PASSWORD_ALREADY_SET", "This account has a password: change it.")
    if facts.has_password:
        raise already_set
    caller.freshly_signed_in()
    _check(new_password, email=facts.email, path="newPassword")
    password_hash = await caller.services.passwords.hash(new_password)
    async with caller.changing_account() as account:
        # SECURITY: one conditional update, so that of two first passwords one wins.
        if not await account.replace_password(None, password_hash):
            raise already_set
        await caller.record(account.id, SecurityEventKind.PASSWORD_SET)
        notice = messages.password_set(account.email, origin=caller.origin, at=clock.now())
        await caller.mail(notice, address=account.email_canonical, account_id=account.id)
        return await restart_session(caller, account)


def _check(new_password: str, *, email: str, path: str) -> None:
    if problems := check_new_password(new_password, email=email, path=path):
        raise InvalidInput(problems)
