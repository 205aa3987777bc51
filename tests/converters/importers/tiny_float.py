"""A float `.tflite` that onnx2tf made: a convolution, a mean, a dense layer; two scores.

Its input is (1, 8, 12, 3), 'image'; its output (1, 2), 'scores'. The ONNX was written by hand with
random weights: Conv 3x3 stride 2, Relu, GlobalAveragePool, Flatten, Gemm.
"""

from __future__ import annotations

import base64
import zlib

_PACKED = (
    b"c-nPUe{2&~9Dmm<ZMW8KK%E5}fo;h;91gn$O|bVy9CI2Zi`g{FAIGh|>l(ZEXs>ginJfX7n4t4VMj!#ENC2lM8c3LW"
    b"ulsKjjfRN-usE_ma3k}dVGLU`>i6Bf+s<w@`Q*KR-uwRke%}QVLLIGp8vST93Zek=qYC5$&WSv*N5COCL8u1M0@x3T"
    b"0eAohNV4?=zyp|YAan$XZa_QWX+Q<w9z6qW0Hjl?zObfjR+5s|l~WWsBgPULIjS*TBMxdGp~G&l1?T{@08SJN1vfI!"
    b"sGf`*%SGjwsDf-Fn@Fd`Y))0v84Z;hQF!2HDctkf;wT4X<xFoP6&GW&BIS~rVbjlS*BEh_vK|%_wdbO8(R4=6BD8U_"
    b"P@vozK%z&A%dkGdI4?j^pWGouql(%XMy-sedfu%0Sl{u^Pxv*)1pvp|bNTu8b9i>^B(6Q)*W5K#ksql2thwJN$FY2W"
    b"RK!7=(0Rtu7#$m`2-iNQe|717qBFh)E+z>QI_HN;WbC@|cB@;zb9@u=A2^DCoU6vE-F1<n)4V=;<B!PRU;O#j>96td"
    b"mJ%{sx?gX6VJlgzx+?I8&X6th-w6k2&f{CTo#guSaeO<Q!5?&Z$<br^$o<+T5||s-?{x|!{O{|eU8*Jhqi6NfeRp*A"
    b"s#8y%9mO{eNy6!G+c23~z>n`7Ao&o%^QUg(P2rdI^15O2Qs)Ic<*n9tjgR5Mg)72MtrUN;djvOJI!R9cx=(O9+wj8O"
    b"!S54yFAJl}yMkU8!tR-Kgr8p2e;YWA)fcY`ms1ynP{U&+@W_O4CVE8w@~IhovmuNl-(15}{6(^DaEJ_X7x7=O){$4_"
    b"I-*opVO31y1KOm%*Y!}o|L?ZQx*t9zox#pXV=Zbv_4%K;+|_`$d3Om;=m45egvyqtg!V`o>mAx(^?>bwCe|}rB6Se4"
    b"{WDO9Sy(@$^Tz6D)e*723Btt@D0By)0`M~w_&q?g!z}hVTz-o)b=m#!GCu;QDvzJ-dBe8Tuy5JpSud9W=xkhpnF^Y6"
    b"YeOsshw;~C#OGrEJ8XT(F&z$e=4N@>SmY1W`=~X0+>&0mAx|mJrk`gsMRm~_R?)>-KKkIsdZPwzqxb2VW65_@FVBE%"
    b"^D+)|5n}V=V)MR^&NjRU&&fSKVw0#u#jb>uU6!#{=lw#Vp2@CZemuNF_6<1^@7A(R#)`|nzXd)7SUrM8Z;RcYeg8?p"
    b"^t*!Pi_+G6rik<<)ns`8x+PU!;deXu?PvA^j8}?kYTx^f&N8!W{+vcV>Y06(QwPo6T7W9Xlj$xgDN4O@QR<^%tnlG?"
    b"n-5kms4N!F2L1t@zpzq1W4mkh4*viyUs$dk^(VyUme%gsbgEa}E=K8MR{sCJZsx>q#J*ZieC!^b`^r^xDv6{fXH38N"
    b"BCN()-(XZ^%j%h$qHm9VzI{bGuyYfTgA!9=$u#UM&3)xRthZ=de8$X~Hhs&r=KllfRBj3"
)


def tiny_float() -> bytes:
    """Return the model's file."""
    return zlib.decompress(base64.b85decode(_PACKED))
