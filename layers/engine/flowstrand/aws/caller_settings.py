"""The environment of the authorizer: which identity provider's tokens it takes, and whether it takes AWS identities.

Everything here is off unless it is set, and what is set in part is refused rather than guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from flowstrand.aws.fetching import is_fetchable
from flowstrand.dataclass import dataclass
from flowstrand.errors import ConfigurationError
from flowstrand.service.callers.web_token_rules import MAX_LEEWAY_S, WebTokenRules

_PREFIX = "FLOWSTRAND_"
ModelT = TypeVar("ModelT", bound=BaseModel)


def _fetchable(url: str) -> str:
    if not is_fetchable(url):
        raise ValueError("it must be an https:// URL")
    return url


def _listed(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Url = Annotated[str, AfterValidator(_fetchable)]
Words = Annotated[
    tuple[Annotated[str, StringConstraints(max_length=256)], ...], BeforeValidator(_listed), Field(min_length=1)
]
Claim = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Word = Annotated[str, StringConstraints(pattern=r"^[^\s,]{1,256}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]


class _WebTokenVariables(BaseModel):
    model_config = ConfigDict(frozen=True)

    jwt_issuer: Url
    jwt_audience: Words
    jwt_jwks_url: Url | None = None
    jwt_org_claim: Claim = "org"
    jwt_principals_claim: Words = ("scope",)
    jwt_user_word: Word = "flowstrand/user"
    jwt_worker_word: Word = "flowstrand/worker"
    jwt_leeway_seconds: Annotated[int, Field(ge=0, le=MAX_LEEWAY_S)] = 30


class _IamVariables(BaseModel):
    model_config = ConfigDict(frozen=True)

    iam_regions: Annotated[tuple[Region, ...], BeforeValidator(_listed), Field(min_length=1)]
    iam_audience: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IamSettings:
    """How AWS identities are taken.

    Attributes:
        regions: whose STS may be asked.
        audiences: URLs that clients know the API by, besides its own.
    """

    regions: tuple[str, ...]
    audiences: tuple[str, ...]


def web_token_rules(environment: Mapping[str, str]) -> WebTokenRules | None:
    """Whose tokens are taken; None where neither issuer nor audience is set.

    Raises:
        ConfigurationError: something is missing or wrong; the message names every variable.
    """
    given = _given(_WebTokenVariables, environment)
    if "jwt_issuer" not in given and "jwt_audience" not in given:
        return None
    read = _read(_WebTokenVariables, given)
    return WebTokenRules(
        issuer=read.jwt_issuer,
        audiences=frozenset(read.jwt_audience),
        jwks_url=read.jwt_jwks_url,
        org_claim=read.jwt_org_claim,
        principals_claims=read.jwt_principals_claim,
        user_word=read.jwt_user_word,
        worker_word=read.jwt_worker_word,
        leeway_s=read.jwt_leeway_seconds,
    )


def iam_settings(environment: Mapping[str, str]) -> IamSettings | None:
    """How AWS identities are taken; None where no region is set. Raises what `web_token_rules` does."""
    given = _given(_IamVariables, environment)
    if "iam_regions" not in given:
        return None
    read = _read(_IamVariables, given)
    return IamSettings(regions=read.iam_regions, audiences=tuple(url.rstrip("/") for url in read.iam_audience))


def settings_of_callers() -> frozenset[str]:
    """The names of everything that can be set here."""
    return frozenset({*_WebTokenVariables.model_fields, *_IamVariables.model_fields})


def _given(model: type[BaseModel], environment: Mapping[str, str]) -> dict[str, str]:
    """What is set and not empty."""
    values = {field: environment.get(_variable(field), "").strip() for field in model.model_fields}
    return {field: value for field, value in values.items() if value}


def _read(model: type[ModelT], given: Mapping[str, str]) -> ModelT:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        faults = [f"{_variable(str(fault['loc'][0]))} ({fault['msg']})" for fault in error.errors()]
        raise ConfigurationError(f"the environment is wrong: {', '.join(faults)}") from None


def _variable(field: str) -> str:
    return _PREFIX + field.upper()
