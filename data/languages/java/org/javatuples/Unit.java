package org.javatuples;

/** A tuple of 1. */
public final class Unit<A> extends Tuple {
    private final A value0;

    public Unit(A value0) {
        super(value0);
        this.value0 = value0;
    }

    public static <A> Unit<A> with(A value0) {
        return new Unit<>(value0);
    }

    @Override
    public int getSize() {
        return 1;
    }

    public A getValue0() {
        return value0;
    }

    public <X> Unit<X> setAt0(X value) {
        return new Unit<>(value);
    }
}
