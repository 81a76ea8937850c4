import pytest

from driver import Kernel


@pytest.fixture(params=["py", "js"])
def kernel(request):
    kernel = Kernel(request.param)
    yield kernel
    kernel.close()


@pytest.fixture
def py():
    kernel = Kernel("py")
    yield kernel
    kernel.close()


@pytest.fixture
def js():
    kernel = Kernel("js")
    yield kernel
    kernel.close()
