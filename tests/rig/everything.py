"""Every name of the rig in one, for a driver that would rather write rig.NAME."""
from rig.box import *  # noqa: F401,F403
from rig.checks import *  # noqa: F401,F403
from rig.database import *  # noqa: F401,F403
from rig.fcgi import *  # noqa: F401,F403
from rig.http import *  # noqa: F401,F403
from rig.pintle import *  # noqa: F401,F403
from rig.processes import *  # noqa: F401,F403
from rig.tokens import *  # noqa: F401,F403
from rig.webservers import *  # noqa: F401,F403
