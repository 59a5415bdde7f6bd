"""Organisations in the database."""

from rooms.school import Organisation, OrganisationId


class Organisations:
    """The tree of departments and schools."""

    async def add(self, organisation: Organisation) -> None:
        """Raises `AlreadyExists`, and `OrganisationNotFound` for an unknown parent."""
        raise NotImplementedError

    async def get(self, organisation_id: OrganisationId) -> Organisation:
        """Raises `OrganisationNotFound`."""
        raise NotImplementedError

    async def list(self) -> tuple[Organisation, ...]:
        """All, by name."""
        raise NotImplementedError

    async def children(self, organisation_id: OrganisationId) -> tuple[Organisation, ...]:
        """Those directly below, by name."""
        raise NotImplementedError

    async def below(self, organisation_id: OrganisationId) -> tuple[Organisation, ...]:
        """The organisation itself and all below it, at any depth, by name; none where it is unknown."""
        raise NotImplementedError
