"""Which machine this is."""

from pytest_ftc.builds.inputs.host import describe_host

ID = "3d1219c7c4c5404aaa1f6d2a48adfda4"


def at(folder, machine=ID, boot="0059e189-452f-415a-8cef-5894cbc9387c"):
    for name, text in (("etc/machine-id", machine), ("proc/sys/kernel/random/boot_id", boot)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text}\n")
    return describe_host(folder)


def test_the_same_machine_has_the_same_digests(tmp_path):
    assert at(tmp_path) == at(tmp_path)
    assert at(tmp_path).machine != at(tmp_path, machine=ID[::-1]).machine


def test_containers_on_one_kernel_share_its_boot(tmp_path):
    one, other = at(tmp_path), at(tmp_path, machine=ID[::-1])
    assert one.boot == other.boot
    assert one.boot != one.machine


def test_the_ids_themselves_are_not_shown(tmp_path):
    host = at(tmp_path)
    assert ID not in f"{host}"
    assert len(host.machine) == len(host.boot) == 64


def test_what_is_unknown_is_empty(tmp_path):
    host = describe_host(tmp_path)
    assert (host.machine, host.boot) == ("", "")
    assert at(tmp_path, machine="uninitialized").machine == ""


def test_this_machine_has_a_kernel_with_a_boot():
    host = describe_host()
    assert host.kernel.startswith("Linux ")
    assert host.boot
