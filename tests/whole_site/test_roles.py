"""Who may do what: every address, asked by every role, gives what the page docs/roles.md says."""

import pytest

from tests.support import every_page, role_matrix


@pytest.mark.thorough
def test_every_address_gives_each_role_what_the_page_says(transactional_db, is_thorough):
    """Where the page says that there is no such call, some visitors are asked; with --thorough all."""
    said = every_page.matrix_of_roles()
    legend = role_matrix.LEGEND.splitlines()
    known = [] if is_thorough else said[len(legend) + 1 :]
    assert [*legend, *role_matrix.lines(known)] == said
