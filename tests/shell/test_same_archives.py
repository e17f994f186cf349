"""`tar`, `zip` and the compressors: chains of commands do the same here and in the real tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shell.differential import differences, words_of

FILES = {
    "d/a": b"hello\n",
    "d/b/c": b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "d/b/e": b"",
    "f": b"file\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\nfile\n",
    "g.txt": b"gg\n",
    "l.txt": b"d/a\nf\n",
    "ex": b"*.txt\n",
    "junk": b"not a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at allnot a tar at all",
    "weird name": b"1\n",
}
CHAINS = [
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root d f ;; tar -tf x.tar ;; tar -tvf x.tar ;; tar -xf x.tar ;; tar -tf x.tar d/b ;; tar -tf x.tar nofile ;; tar -xvf x.tar f",
    "tar czf x.tgz --mtime=@0 --sort=name --owner=root --group=root d ;; tar tzf x.tgz ;; tar tf x.tgz ;; tar xzf x.tgz -C d ;; tar xzvf x.tgz --strip-components=1",
    "tar cjf x.tar.bz2 --mtime=@0 --sort=name --owner=root --group=root d ;; tar tjf x.tar.bz2 ;; tar xf x.tar.bz2 -O d/a",
    "tar cJf x.tar.xz --mtime=@0 --sort=name --owner=root --group=root d ;; tar tJf x.tar.xz ;; tar tf x.tar.xz",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root d f ;; tar -rf x.tar --mtime=@0 --sort=name --owner=root --group=root g.txt ;; tar -tf x.tar ;; tar -uf x.tar --mtime=@0 --sort=name --owner=root --group=root g.txt ;; tar -tf x.tar",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root --exclude=c d ;; tar -tf x.tar",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root -X ex d g.txt ;; tar -tf x.tar",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root --exclude=d/b d f ;; tar -tf x.tar",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root -T l.txt ;; tar -tf x.tar",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root -C d a b ;; tar -tf x.tar",
    "tar -cf x.tar nofile ;; tar -tf x.tar",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root nofile f ;; tar -tf x.tar",
    "tar -cf x.tar",
    "tar -tf nofile.tar",
    "tar -tf junk",
    "tar -xzf junk",
    "tar xf",
    "tar",
    "tar -q",
    "tar --foo",
    "tar -cxf a.tar f",
    "tar -caf x.tgz --mtime=@0 --sort=name --owner=root --group=root d ;; gzip -t x.tgz ;; tar -taf x.tgz",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root --transform=s/d/new/ d ;; tar -tf x.tar",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root --no-recursion d ;; tar -tf x.tar",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root d f ;; tar -xkf x.tar f ;; tar --skip-old-files -xf x.tar",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root d f ;; tar -xf x.tar -C nodir",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root d f ;; tar -xf x.tar --wildcards d/* ;; tar -tf x.tar --wildcards *.txt",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root d f ;; tar --strip-components=2 -xvf x.tar ;; tar -xf x.tar --exclude=b -v",
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root f",
    'tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root "weird name" ;; tar -tf x.tar ;; tar -xvf x.tar',
    "tar -cf x.tar --mtime=@0 --sort=name --owner=root --group=root f --remove-files ;; tar -tf x.tar",
    "tar -cf d.tar --mtime=@0 --sort=name --owner=root --group=root d/ ;; tar -tf d.tar ;; tar -xf d.tar d/a ;; tar -tf d.tar d/",
    "gzip f ;; gzip -l f.gz ;; gunzip f.gz ;; gunzip f.gz",
    "gzip -k f ;; gzip -k f ;; gzip -kf f ;; zcat f.gz ;; zcat f ;; gzip -dc f.gz ;; gzip -t f.gz ;; gunzip -k f.gz",
    "gzip nofile ;; gzip d ;; gzip -r d ;; gunzip -r d",
    "gzip -c f g.txt -n ;; gzip junk -k -S .zz ;; gunzip junk ;; gunzip -S .zz junk.zz",
    "gunzip f ;; zcat junk ;; gzip -d nofile ;; gzip -q d",
    "gzip -9v f ;; gunzip -v f.gz ;; gzip f ;; gzip f.gz",
    "bzip2 f ;; bunzip2 f.bz2 ;; bzip2 -k f ;; bzip2 -k f ;; bzcat f.bz2 ;; bzip2 -t f.bz2 ;; bunzip2 f ;; bzip2 nofile ;; bzip2 -d junk",
    "xz f ;; unxz f.xz ;; xz -k f ;; xz -k f ;; xzcat f.xz ;; xz -t f.xz ;; unxz f ;; xz nofile ;; xz -dc junk ;; xz f.xz ;; xz d",
    "zip x.zip f g.txt ;; unzip -l x.zip ;; unzip x.zip -d out ;; unzip -o x.zip ;; unzip -p x.zip f ;; unzip -t x.zip ;; unzip -Z1 x.zip ;; zip -d x.zip f ;; unzip -l x.zip ;; unzip -n x.zip ;; unzip -p x.zip nofile",
    "zip -rq x d ;; unzip -qo x ;; unzip x -x d/a -d k ;; zip -j y.zip d/b/c d/a ;; unzip -v y.zip ;; unzip -Z1 y.zip",
    "zip x.zip nofile ;; unzip nofile ;; unzip junk ;; zip x.zip f ;; zip x.zip f ;; unzip x.zip ;; zip -m x.zip g.txt ;; unzip -c x.zip",
    'zip -r x.zip d -x "*.txt" "d/b/*" ;; unzip -Z1 x.zip',
    "touch -d @1000000000 f ;; zip x.zip f ;; zip -u x.zip f ;; touch -d @1000000010 f ;; zip -u x.zip f g.txt ;; zip -f x.zip f",
    "touch -d @1000000000 f g.txt ;; zip x.zip f ;; touch -d @1000000010 f g.txt ;; zip -f x.zip f g.txt ;; zip -u x.zip nofile",
]


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_does_what_the_real_tools_do(tmp_path: Path, chain: str) -> None:
    steps = [words_of(line) for line in chain.split(" ;; ")]
    assert not differences(tmp_path / "real", steps, FILES)
