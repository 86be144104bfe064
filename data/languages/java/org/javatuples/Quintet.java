package org.javatuples;

/** A tuple of 5. */
public final class Quintet<A, B, C, D, E> extends Tuple {
    private final A value0;
    private final B value1;
    private final C value2;
    private final D value3;
    private final E value4;

    public Quintet(A value0, B value1, C value2, D value3, E value4) {
        super(value0, value1, value2, value3, value4);
        this.value0 = value0;
        this.value1 = value1;
        this.value2 = value2;
        this.value3 = value3;
        this.value4 = value4;
    }

    public static <A, B, C, D, E> Quintet<A, B, C, D, E> with(A value0, B value1, C value2, D value3, E value4) {
        return new Quintet<>(value0, value1, value2, value3, value4);
    }

    @Override
    public int getSize() {
        return 5;
    }

    public A getValue0() {
        return value0;
    }

    public <X> Quintet<X, B, C, D, E> setAt0(X value) {
        return new Quintet<>(value, value1, value2, value3, value4);
    }

    public B getValue1() {
        return value1;
    }

    public <X> Quintet<A, X, C, D, E> setAt1(X value) {
        return new Quintet<>(value0, value, value2, value3, value4);
    }

    public C getValue2() {
        return value2;
    }

    public <X> Quintet<A, B, X, D, E> setAt2(X value) {
        return new Quintet<>(value0, value1, value, value3, value4);
    }

    public D getValue3() {
        return value3;
    }

    public <X> Quintet<A, B, C, X, E> setAt3(X value) {
        return new Quintet<>(value0, value1, value2, value, value4);
    }

    public E getValue4() {
        return value4;
    }

    public <X> Quintet<A, B, C, D, X> setAt4(X value) {
        return new Quintet<>(value0, value1, value2, value3, value);
    }
}
